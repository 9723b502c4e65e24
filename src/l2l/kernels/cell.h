// One LSTM cell for a block of coordinates, and phi in the order in which its loops read it.
//
// Arrays called "slab" are [row][BLOCK]: a vector holds the same unit of W coordinates, and weights
// are broadcast.

#pragma once

#include "vectors.h"

#include <cstdlib>
#include <new>
#include <optional>
#include <vector>

namespace {

constexpr float LOG2E = 1.44269504088896341f, LIMIT = 40.0f;

// 2^z = scale (1 + fraction), for z clamped to where 32-bit floats still tell the results apart;
// the polynomials are minimax fits of (2^r - 1) / r.
struct Power { V scale, fraction; };
#if defined(__AVX512F__)
// Nearest sixteenth by table: the entries are the bits of 2^(j / 16), less what the shift adds.
inline Power power_of_two(V z) {
    alignas(64) static const uint32_t table[16] = {
        0x3f800000, 0x3f7daac3, 0x3f7b95c2, 0x3f79c3d3, 0x3f7837f0, 0x3f76f532, 0x3f75fed7, 0x3f75583f,
        0x3f7504f3, 0x3f7508a4, 0x3f75672a, 0x3f76248c, 0x3f7744fd, 0x3f78ccdf, 0x3f7ac0c7, 0x3f7d257d};
    z = clamp(z, LIMIT);
    const V shifted = z + 786432.0f;  // the low bits now hold round(16 z)
    const V r = z - (shifted - 786432.0f);
    const VI entry = (VI)_mm512_permutexvar_epi32((__m512i)shifted, _mm512_load_si512(table));
    V q = 0.05550410866468256f * r + 0.24023355148442743f;
    q = q * r + 0.6931471810367842f;
    return {(V)(entry + ((VI)shifted << 19)), q * r};
}
#else
inline Power power_of_two(V z) {
    z = clamp(z, LIMIT);
    const V shifted = z + (12582912.0f + 127.0f);  // the low bits now hold round(z) + 127
    const V r = z - (shifted - (12582912.0f + 127.0f));
    const V scale = (V)((VI)shifted << 23);
    V q = 0.0013333538697064085f * r + 0.009666245424746795f;
    q = q * r + 0.0555050021350653f;
    q = q * r + 0.24022351343147766f;
    q = q * r + 0.6931471435061761f;
    return {scale, q * r};
}
#endif

inline V plus_one(Power p) { return p.scale * p.fraction + (p.scale + 1.0f); }
inline V minus_one(Power p) { return p.scale * p.fraction + (p.scale - 1.0f); }

// The sigmoid of x from z = -x log2(e).
inline V sigmoid_scaled(V z) {
    return reciprocal(plus_one(power_of_two(z)));
}

// tanh(x) from z = 2 x log2(e), as (2^z - 1) / (2^z + 1): accurate for small x too.
inline V tanh_scaled(V z) {
    const Power p = power_of_two(z);
    return minus_one(p) * reciprocal(plus_one(p));
}

struct Net {
    int inputs, layers, units;
    int width(int layer) const { return layer ? units : inputs; }
    int gates() const { return 4 * units; }
    int padded_gates() const { return (gates() + W - 1) / W * W; }
    int columns(int layer) const { return width(layer) + units + 1; }  // the last one is the bias
    int64_t layer_floats(int layer) const {
        return int64_t(gates()) * (width(layer) + units + 2);
    }
    int64_t layer_offset(int layer) const {
        int64_t offset = 0;
        for (int l = 0; l < layer; ++l) offset += layer_floats(l);
        return offset;
    }
    const float* weight_ih(const float* phi, int l) const { return phi + layer_offset(l); }
    const float* weight_hh(const float* phi, int l) const {
        return weight_ih(phi, l) + int64_t(gates()) * width(l);
    }
    const float* bias_ih(const float* phi, int l) const {
        return weight_hh(phi, l) + int64_t(gates()) * units;
    }
    const float* head(const float* phi) const { return phi + layer_offset(layers); }
};

// The recurrent state is [block][layer][hidden, cell][unit][BLOCK]: what a block needs lies together.
inline int64_t state_offset(const Net& net, int64_t block, int layer) {
    return (block * net.layers + layer) * 2 * net.units * BLOCK;
}

inline int pad(int n, int multiple) { return (n + multiple - 1) / multiple * multiple; }

// Cache-line aligned floats, zero at first.
struct Floats {
    float* data;
    explicit Floats(int64_t n) {
        const size_t bytes = (size_t(n) * 4 + 63) / 64 * 64;
        data = static_cast<float*>(std::aligned_alloc(64, bytes));
        if (!data) throw std::bad_alloc();
        std::memset(data, 0, bytes);
    }
    Floats(Floats&& other) noexcept : data(other.data) { other.data = nullptr; }
    Floats(const Floats&) = delete;
    ~Floats() { std::free(data); }
    operator float*() const { return data; }
};

// A new T, or nothing where memory runs out: for OpenMP regions, which no exception may leave.
template <class T, class... Arguments>
std::optional<T> if_memory_lasts(const Arguments&... arguments) {
    try {
        return std::optional<T>(std::in_place, arguments...);
    } catch (const std::bad_alloc&) {
        return std::nullopt;
    }
}

// [unit][bias, inputs, hidden][gate], scaled for the activations' powers of two.
inline std::vector<Floats> pack_forward(const Net& net, const float* phi) {
    std::vector<Floats> packed;
    const int H = net.units;
    for (int l = 0; l < net.layers; ++l) {
        const int width = net.width(l), rows = width + H + 1;
        const float *ih = net.weight_ih(phi, l), *hh = net.weight_hh(phi, l);
        const float *bias = net.bias_ih(phi, l), *bias_hh = bias + net.gates();
        Floats pack(int64_t(H) * rows * 4);
        for (int u = 0; u < H; ++u)
            for (int g = 0; g < 4; ++g) {
                const float scale = g == 2 ? 2 * LOG2E : -LOG2E;
                const int row = g * H + u;
                float* to = pack + int64_t(u) * rows * 4 + g;
                to[0] = scale * (bias[row] + bias_hh[row]);
                for (int k = 0; k < width; ++k) to[(1 + k) * 4] = scale * ih[row * width + k];
                for (int k = 0; k < H; ++k) to[(1 + width + k) * 4] = scale * hh[row * H + k];
            }
        packed.push_back(std::move(pack));
    }
    return packed;
}

// a[gate][row] += weight[k][gate] * x[k], k over the rows of a slab; returns the weights after them.
inline const float* add_product(V (&a)[4][ROWS], const float* w, const float* x, int rows) {
    for (const float* end = w + 4 * rows; w < end; w += 4, x += BLOCK)
#pragma GCC unroll 4
        for (int r = 0; r < ROWS; ++r) {
            const V value = load_once(x + r * W);
#pragma GCC unroll 4
            for (int g = 0; g < 4; ++g) a[g][r] += w[g] * value;
        }
    return w;
}

// One cell for a block. `inputs` is the slab of the layer's inputs (`width` rows), `old_hidden` and
// `old_cell` of its state, `hidden` and `cell` get the new one: `cell` may be `old_cell`. A tape gets
// six slabs: i, f, g, o, the new cell and its tanh.
template <bool TAPE>
void cell_step(int units, int width, const float* pack, const float* inputs,
               const float* old_hidden, const float* old_cell, float* hidden, float* cell,
               float* tape) {
    for (int u = 0; u < units; ++u) {
        V a[4][ROWS];
        for (int g = 0; g < 4; ++g)
            for (int r = 0; r < ROWS; ++r) a[g][r] = V{} + pack[g];
        pack = add_product(a, pack + 4, inputs, width);
        pack = add_product(a, pack, old_hidden, units);
#pragma GCC unroll 4
        for (int r = 0; r < ROWS; ++r) {
            const int at = u * BLOCK + r * W;
            if (!TAPE) {  // the same with two reciprocals instead of five; 2^(3 LIMIT) is a float
                const Power g = power_of_two(a[2][r]);
                const V f = plus_one(power_of_two(a[1][r]));
                const V ig = plus_one(power_of_two(a[0][r])) * plus_one(g);
                const V c = (load(old_cell + at) * ig + minus_one(g) * f) * reciprocal(ig * f);
                const Power t = power_of_two(2 * LOG2E * c);
                const V o = plus_one(power_of_two(a[3][r]));
                store(cell + at, c);
                store(hidden + at, minus_one(t) * reciprocal(o * plus_one(t)));
                continue;
            }
            const V i = sigmoid_scaled(a[0][r]), f = sigmoid_scaled(a[1][r]);
            const V g = tanh_scaled(a[2][r]), o = sigmoid_scaled(a[3][r]);
            const V c = f * load(old_cell + at) + i * g;
            const V t = tanh_scaled(2 * LOG2E * c);
            store(cell + at, c);
            store(hidden + at, o * t);
            const int slab = units * BLOCK;
            store(tape + at, i);
            store(tape + slab + at, f);
            store(tape + 2 * slab + at, g);
            store(tape + 3 * slab + at, o);
            store(tape + 4 * slab + at, c);
            store(tape + 5 * slab + at, t);
        }
    }
}

}  // namespace
