// One step of the coordinate-wise LSTM for all coordinates, block by block.

#include "cell.h"

#include <algorithm>
#include <atomic>

namespace {

// Rows of the state are far apart in memory, so the hardware does not foresee the next block.
void copy_in(float* slab, const float* from, int units, int64_t stride, int count) {
    for (int u = 0; u < units; ++u, slab += BLOCK, from += stride) {
        if (count == BLOCK) {
            std::memcpy(slab, from, BLOCK * 4);
        } else {
            std::memset(slab, 0, BLOCK * 4);
            std::memcpy(slab, from, size_t(count) * 4);
        }
        for (int n = BLOCK; n < 2 * BLOCK; n += 16) __builtin_prefetch(from + n);
    }
}

void copy_out(const float* slab, float* to, int units, int64_t stride, int count) {
    for (int u = 0; u < units; ++u, slab += BLOCK, to += stride) {
        if (count == BLOCK)
            std::memcpy(to, slab, BLOCK * 4);
        else
            std::memcpy(to, slab, size_t(count) * 4);
        for (int n = BLOCK; n < 2 * BLOCK; n += 16) __builtin_prefetch(to + n, 1);
    }
}

// The slabs of one thread: a layer's inputs and old hidden state, its cell and its hidden state.
struct Workspace {
    Floats x, c, h;
    explicit Workspace(const Net& net)
        : x(int64_t(std::max(net.units, net.inputs) + net.units) * BLOCK),
          c(int64_t(net.units) * BLOCK), h(int64_t(net.units) * BLOCK) {}
};

void forward(const Net& net, const float* phi, int64_t N, const float* inputs,
             const float* hidden, const float* cell, float* new_hidden, float* new_cell,
             float* outputs, int threads) {
    const int H = net.units, L = net.layers, I = net.inputs;
    const auto pack = pack_forward(net, phi);
    const float* head = net.head(phi);
    const int64_t blocks = (N + BLOCK - 1) / BLOCK;
    std::atomic<bool> out_of_memory{false};
#pragma omp parallel num_threads(threads)
    {
        const FlushDenormals flush;
        const auto work = if_memory_lasts<Workspace>(net);
        if (!work) out_of_memory = true;
#pragma omp for schedule(static)
        for (int64_t block = 0; block < blocks; ++block) {
            if (!work) continue;
            float *const x = work->x, *const c = work->c, *const h = work->h;
            const int64_t first = block * BLOCK;
            const int count = int(std::min<int64_t>(BLOCK, N - first));
            for (int i = 0; i < I; ++i)
                for (int n = 0; n < BLOCK; ++n)
                    x[i * BLOCK + n] = n < count ? inputs[(first + n) * I + i] : 0.0f;
            for (int l = 0; l < L; ++l) {
                const int64_t offset = int64_t(l) * H * N + first;
                const int width = net.width(l);
                if (l) std::memcpy(x, h, size_t(H) * BLOCK * 4);
                copy_in(x + int64_t(width) * BLOCK, hidden + offset, H, N, count);
                copy_in(c, cell + offset, H, N, count);
                cell_step<false>(H, width + H, pack[l], x, c, h, nullptr);
                copy_out(h, new_hidden + offset, H, N, count);
                copy_out(c, new_cell + offset, H, N, count);
            }
            for (int r = 0; r < ROWS; ++r) {
                V y = V{} + head[H];
                for (int u = 0; u < H; ++u) y += head[u] * load(h + u * BLOCK + r * W);
                for (int n = 0; n < W && r * W + n < count; ++n) outputs[first + r * W + n] = y[n];
            }
        }
    }
    if (out_of_memory) throw std::bad_alloc();
}

}  // namespace

// Called from Python. phi is flat: for each layer weight_ih, weight_hh, bias_ih, bias_hh, then the
// head's weight and bias. States are [layers][units][coordinates], inputs [coordinates][inputs].
// Returns 0, or 1 where memory ran out.
extern "C" int l2l_forward(int inputs_per_coordinate, int layers, int units, const float* phi,
                           int64_t coordinates, const float* inputs, const float* hidden,
                           const float* cell, float* new_hidden, float* new_cell, float* outputs,
                           int threads) {
    try {
        forward({inputs_per_coordinate, layers, units}, phi, coordinates, inputs, hidden, cell,
                new_hidden, new_cell, outputs, threads);
    } catch (const std::bad_alloc&) {
        return 1;
    }
    return 0;
}
