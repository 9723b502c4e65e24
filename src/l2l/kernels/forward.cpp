// One step of the coordinate-wise LSTM for all coordinates, block by block.

#include "cell.h"
#include "preprocess.h"

#include <algorithm>
#include <atomic>

namespace {

// What a forward step reads: inputs [coordinates][inputs] as they are, or, with decays, gradients
// [coordinates] and the moments before and after, [2 decays][coordinates], which may be the same.
struct Source {
    Normalised normalised;
    const float *inputs, *weights, *moments;
    float* new_moments;
};

// A thread's slabs: the inputs, and the new hidden state while the old one is still read.
struct Workspace {
    Floats inputs, hidden, gradient, moments, moves;
    Workspace(const Net& net, const Normalised& normalised)
        : inputs(int64_t(net.inputs) * BLOCK), hidden(int64_t(net.units) * BLOCK),
          gradient(BLOCK), moments(int64_t(normalised.moments()) * BLOCK), moves(BLOCK) {}
};

// The inputs of the `count` coordinates from `first` on; lanes beyond them get some number.
void read_inputs(const Source& source, int inputs, int64_t N, int64_t first, int count,
                 Workspace& work) {
    if (!source.normalised.decays) {
        for (int i = 0; i < inputs; ++i)
            for (int n = 0; n < BLOCK; ++n)
                work.inputs[i * BLOCK + n] =
                    n < count ? source.inputs[(first + n) * inputs + i] : 0.0f;
        return;
    }
    const size_t bytes = size_t(count) * 4;
    std::memcpy(work.gradient, source.inputs + first, bytes);
    for (int r = 0; r < source.normalised.moments(); ++r)
        std::memcpy(work.moments + r * BLOCK, source.moments + r * N + first, bytes);
    source.normalised(source.weights, work.gradient, work.moments, work.inputs, work.moves);
    for (int r = 0; r < source.normalised.moments(); ++r)
        std::memcpy(source.new_moments + r * N + first, work.moments + r * BLOCK, bytes);
}

// `new_state` may be `state`: a block is read and written by one thread.
void forward(const Net& net, const float* phi, int64_t N, const Source& source, const float* state,
             float* new_state, float* outputs, int threads) {
    const int H = net.units, slab = H * BLOCK;
    const auto pack = pack_forward(net, phi);
    const float* head = net.head(phi);
    const int64_t blocks = (N + BLOCK - 1) / BLOCK;
    std::atomic<bool> out_of_memory{false};
#pragma omp parallel num_threads(threads)
    {
        const FlushDenormals flush;
        auto work = if_memory_lasts<Workspace>(net, source.normalised);
        if (!work) out_of_memory = true;
#pragma omp for schedule(static)
        for (int64_t block = 0; block < blocks; ++block) {
            if (out_of_memory) continue;
            const int64_t first = block * BLOCK;
            const int count = int(std::min<int64_t>(BLOCK, N - first));
            read_inputs(source, net.inputs, N, first, count, *work);
            const float* below = work->inputs;
            for (int l = 0; l < net.layers; ++l) {
                const float* old = state + state_offset(net, block, l);
                float* to = new_state + state_offset(net, block, l);
                cell_step<false>(H, net.width(l), pack[l], below, old, old + slab, work->hidden,
                                 to + slab, nullptr);
                std::memcpy(to, work->hidden, size_t(slab) * 4);
                below = to;
            }
            for (int r = 0; r < ROWS; ++r) {
                V y = V{} + head[H];
                for (int u = 0; u < H; ++u) y += head[u] * load(below + u * BLOCK + r * W);
                if (source.normalised.decays) y = load(work->moves + r * W) == 0.0f ? V{} : y;
                for (int n = 0; n < W && r * W + n < count; ++n) outputs[first + r * W + n] = y[n];
            }
        }
    }
    if (out_of_memory) throw std::bad_alloc();
}

}  // namespace

// The coordinates of a block, by which Python sizes the state.
extern "C" int l2l_block() { return BLOCK; }

// Called from Python. phi is flat: for each layer weight_ih, weight_hh, bias_ih, bias_hh, then the
// head's weight and bias. Inputs, moments: see `Source`; without decays there are no moments. States
// are as `state_offset` says; the new one may be the old one. Returns 0, or 1 where memory ran out.
extern "C" int l2l_forward(int inputs_per_coordinate, int layers, int units, const float* phi,
                           int64_t coordinates, const float* inputs, const float* state,
                           float* new_state, float* outputs, int threads, int decays, float p,
                           const float* weights, const float* moments, float* new_moments) {
    try {
        const Source source{{decays, p}, inputs, weights, moments, new_moments};
        forward({inputs_per_coordinate, layers, units}, phi, coordinates, source, state, new_state,
                outputs, threads);
    } catch (const std::bad_alloc&) {
        return 1;
    }
    return 0;
}
