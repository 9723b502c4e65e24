// The two matrix products of the backward pass, tiled into registers.

#pragma once

#include "cell.h"

#include <algorithm>

namespace {

// The transpose of a weight matrix [gates][outputs] as [tile of outputs][gate][output in tile].
inline Floats pack_transposed(const Net& net, const float* weight, int outputs) {
    Floats pack(int64_t(pad(outputs, OUTPUT_TILE)) * net.gates());
    for (int o = 0; o < outputs; ++o)
        for (int g = 0; g < net.gates(); ++g)
            pack[(int64_t(o / OUTPUT_TILE) * net.gates() + g) * OUTPUT_TILE + o % OUTPUT_TILE] =
                weight[g * outputs + o];
    return pack;
}

// out[o] (+)= sum over gates of weight[gate][o] * d_gates[gate], for slabs.
inline void multiply_transposed(float* out, int outputs, const float* pack, const float* d_gates,
                         int gates, bool add) {
    for (int o = 0; o < outputs; o += OUTPUT_TILE, pack += OUTPUT_TILE * gates) {
        V a[OUTPUT_TILE][ROWS];
        for (int j = 0; j < OUTPUT_TILE; ++j)
            for (int r = 0; r < ROWS; ++r)
                a[j][r] = add ? load(out + (o + j) * BLOCK + r * W) : V{};
        for (int g = 0; g < gates; ++g)
#pragma GCC unroll 4
            for (int r = 0; r < ROWS; ++r) {
                const V value = load_once(d_gates + g * BLOCK + r * W);
#pragma GCC unroll 4
                for (int j = 0; j < OUTPUT_TILE; ++j)
                    a[j][r] += pack[g * OUTPUT_TILE + j] * value;
            }
        for (int j = 0; j < OUTPUT_TILE; ++j)
            for (int r = 0; r < ROWS; ++r) store(out + (o + j) * BLOCK + r * W, a[j][r]);
    }
}

// A tile of the weights' gradient: total[column][gate] += sum over the block of x * d_gate.
template <int GATES, int COLUMNS>
void outer_tile(float* total, const float* x, const float* d_gates, int padded) {
    V a[COLUMNS][GATES] = {};
    for (int n = 0; n < BLOCK; ++n) {
        V d[GATES];
#pragma GCC unroll 5
        for (int g = 0; g < GATES; ++g) d[g] = load_once(d_gates + n * padded + g * W);
#pragma GCC unroll 5
        for (int k = 0; k < COLUMNS; ++k)
#pragma GCC unroll 5
            for (int g = 0; g < GATES; ++g) a[k][g] += x[k * BLOCK + n] * d[g];
    }
    for (int k = 0; k < COLUMNS; ++k)
        for (int g = 0; g < GATES; ++g) {
            float* at = total + k * padded + g * W;
            store(at, load(at) + a[k][g]);
        }
}

template <int GATES>
void outer_columns(float* total, const float* x, const float* d_gates, int padded, int columns) {
    switch (columns) {
        case 5: return outer_tile<GATES, 5>(total, x, d_gates, padded);
        case 4: return outer_tile<GATES, 4>(total, x, d_gates, padded);
        case 3: return outer_tile<GATES, 3>(total, x, d_gates, padded);
        case 2: return outer_tile<GATES, 2>(total, x, d_gates, padded);
        default: return outer_tile<GATES, 1>(total, x, d_gates, padded);
    }
}

inline void outer(float* total, const float* x, const float* d_gates, int padded, int columns) {
    const int tiles = (columns + COLUMN_TILE - 1) / COLUMN_TILE;
    for (int g = 0; g < padded; g += GATE_TILE * W)
        for (int tile = 0; tile < tiles; ++tile) {
            const int first = tile * columns / tiles, count = (tile + 1) * columns / tiles - first;
            float* at = total + first * padded + g;
            const float *from = x + first * BLOCK, *d = d_gates + g;
            switch (std::min(GATE_TILE, (padded - g) / W)) {
                case 5: outer_columns<5>(at, from, d, padded, count); break;
                case 4: outer_columns<4>(at, from, d, padded, count); break;
                case 3: outer_columns<3>(at, from, d, padded, count); break;
                case 2: outer_columns<2>(at, from, d, padded, count); break;
                default: outer_columns<1>(at, from, d, padded, count); break;
            }
        }
}

}  // namespace
