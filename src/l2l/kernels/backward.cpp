// The gradient of phi over a window.
//
// A block's window is recomputed in cache with its activations kept on a tape there, and then the
// tape is read backwards. The float32 sums over a block go to double accumulators of a fixed chunk
// of blocks, and the chunks are summed in order: the result does not depend on the number of
// threads.

#include "preprocess.h"
#include "products.h"

#include <atomic>

namespace {

// From the cotangent of a layer's new hidden state to those of its gates (before activation), and
// from the cotangent of its new cell to that of its old cell.
void cell_backward(int units, const float* tape, const float* old_cell, const float* d_hidden,
                   float* d_cell, float* d_gates) {
    const int slab = units * BLOCK;
    for (int at = 0; at < slab; at += W) {
        const V i = load(tape + at), f = load(tape + slab + at), g = load(tape + 2 * slab + at);
        const V o = load(tape + 3 * slab + at), t = load(tape + 5 * slab + at);
        const V dh = load(d_hidden + at), dho = dh * o;
        const V dc = load(d_cell + at) + (dho - dho * t * t);
        const V dci = dc * i, dcf = dc * f;
        store(d_gates + at, dci * g * (1.0f - i));
        store(d_gates + slab + at, dcf * load(old_cell + at) * (1.0f - f));
        store(d_gates + 2 * slab + at, dci - dci * g * g);
        store(d_gates + 3 * slab + at, dho * t * (1.0f - o));
        store(d_cell + at, dcf);
    }
}

void multiply(float* out, const float* a, const float* b, int n) {
    for (int at = 0; at < n; at += W) store(out + at, load(a + at) * load(b + at));
}

// Inputs are [steps][coordinates][inputs], or, with decays, gradients [steps][coordinates] that come
// after moments [2 decays][coordinates], with weights [steps][decays].
struct Window {
    int64_t steps, coordinates;
    const float *inputs, *state, *cotangents;
    Normalised normalised;
    const float *weights, *moments;
    std::vector<int64_t> active;  // coordinates
};

struct Packs {
    std::vector<Floats> forward, to_below, to_hidden;
};

// What a thread needs for one block at a time, and the block's sums.
struct Workspace {
    std::vector<Floats> x, h0, c0, d_hidden, d_cell, totals;
    Floats window_inputs, cotangents, cell, hidden, d_gates, d_gates_transposed, tape, head_total;
    Floats gradient, moments, moves;
    int64_t tape_step;

    Workspace(const Net& net, const Normalised& normalised, int64_t steps)
        : window_inputs(steps * net.inputs * BLOCK), cotangents(steps * BLOCK),
          cell(int64_t(net.layers) * net.units * BLOCK), hidden(int64_t(net.units) * BLOCK),
          d_gates(int64_t(net.padded_gates()) * BLOCK),
          d_gates_transposed(int64_t(net.padded_gates()) * BLOCK),
          tape(steps * net.layers * 6 * net.units * BLOCK), head_total((net.units + 1) * W),
          gradient(BLOCK), moments(int64_t(normalised.moments()) * BLOCK), moves(BLOCK),
          tape_step(int64_t(6) * net.units * BLOCK) {
        const int H = net.units, padded_units = pad(H, OUTPUT_TILE);
        for (int l = 0; l < net.layers; ++l) {
            x.emplace_back(int64_t(net.columns(l)) * BLOCK);
            h0.emplace_back(int64_t(H) * BLOCK);
            c0.emplace_back(int64_t(H) * BLOCK);
            d_hidden.emplace_back(int64_t(padded_units) * BLOCK);
            d_cell.emplace_back(int64_t(H) * BLOCK);
            totals.emplace_back(int64_t(net.columns(l)) * net.padded_gates());
            std::fill_n(x[l] + int64_t(net.columns(l) - 1) * BLOCK, BLOCK, 1.0f);
        }
    }
    float* tape_at(const Net& net, int64_t step, int layer) const {
        return tape + (step * net.layers + layer) * tape_step;
    }
};

// Gather a block's coordinates; lanes beyond the last one stay zero and so add nothing.
void gather(const Net& net, const Window& window, int64_t first, Workspace& work) {
    const int count = int(std::min<int64_t>(BLOCK, int64_t(window.active.size()) - first));
    const int64_t* index = window.active.data() + first;
    const int H = net.units, I = net.inputs;
    const auto fill = [&](float* row, const float* from, int64_t stride) {
        for (int n = 0; n < BLOCK; ++n) row[n] = n < count ? from[index[n] * stride] : 0.0f;
    };
    const Normalised& normalised = window.normalised;
    for (int r = 0; r < normalised.moments(); ++r)
        fill(work.moments + r * BLOCK, window.moments + r * window.coordinates, 1);
    for (int64_t t = 0; t < window.steps; ++t) {
        const int64_t at = t * window.coordinates;
        float *inputs = work.window_inputs + t * I * BLOCK, *cotangent = work.cotangents + t * BLOCK;
        fill(cotangent, window.cotangents + at, 1);
        if (!normalised.decays) {
            for (int i = 0; i < I; ++i) fill(inputs + i * BLOCK, window.inputs + at * I + i, I);
            continue;
        }
        fill(work.gradient, window.inputs + at, 1);
        normalised(window.weights + t * normalised.decays, work.gradient, work.moments, inputs,
                   work.moves);
        for (int n = 0; n < BLOCK; n += W)  // a coordinate that does not move has no cotangent
            store(cotangent + n, load(work.moves + n) == 0.0f ? V{} : load(cotangent + n));
    }
    for (int l = 0; l < net.layers; ++l) {
        std::memset(work.h0[l], 0, size_t(H) * BLOCK * 4);
        std::memset(work.c0[l], 0, size_t(H) * BLOCK * 4);
        for (int n = 0; n < count; ++n) {
            const float* from =
                window.state + state_offset(net, index[n] / BLOCK, l) + index[n] % BLOCK;
            for (int u = 0; u < H; ++u) {
                work.h0[l][u * BLOCK + n] = from[u * BLOCK];
                work.c0[l][u * BLOCK + n] = from[(H + u) * BLOCK];
            }
        }
    }
}

void recompute(const Net& net, const Packs& packs, int64_t steps, Workspace& work) {
    const int H = net.units, slab = H * BLOCK;
    for (int l = 0; l < net.layers; ++l) {
        std::memcpy(work.x[l] + net.width(l) * BLOCK, work.h0[l], size_t(slab) * 4);
        std::memcpy(work.cell + l * slab, work.c0[l], size_t(slab) * 4);
    }
    for (int64_t t = 0; t < steps; ++t) {
        std::memcpy(work.x[0], work.window_inputs + t * net.inputs * BLOCK,
                    size_t(net.inputs) * BLOCK * 4);
        for (int l = 0; l < net.layers; ++l) {
            float* cell = work.cell + l * slab;
            cell_step<true>(H, net.width(l), packs.forward[l], work.x[l],
                            work.x[l] + net.width(l) * BLOCK, cell, work.hidden, cell,
                            work.tape_at(net, t, l));
            std::memcpy(work.x[l] + net.width(l) * BLOCK, work.hidden, size_t(slab) * 4);
            if (l + 1 < net.layers) std::memcpy(work.x[l + 1], work.hidden, size_t(slab) * 4);
        }
    }
}

void go_back(const Net& net, const Packs& packs, const float* head, int64_t steps,
             Workspace& work) {
    const int H = net.units, slab = H * BLOCK, padded = net.padded_gates();
    for (int l = 0; l < net.layers; ++l) {
        std::memset(work.d_hidden[l], 0, size_t(slab) * 4);
        std::memset(work.d_cell[l], 0, size_t(slab) * 4);
    }
    for (int64_t t = steps - 1; t >= 0; --t) {
        const float* cotangent = work.cotangents + t * BLOCK;
        const float* top = work.tape_at(net, t, net.layers - 1);
        for (int u = 0; u < H; ++u) {
            V total = {};
            for (int r = 0; r < ROWS; ++r) {
                const int at = u * BLOCK + r * W;
                const V c = load(cotangent + r * W);
                total += c * (load(top + 3 * slab + at) * load(top + 5 * slab + at));
                float* d = work.d_hidden[net.layers - 1] + at;
                store(d, load(d) + head[u] * c);
            }
            store(work.head_total + u * W, load(work.head_total + u * W) + total);
        }
        V total = {};
        for (int r = 0; r < ROWS; ++r) total += load(cotangent + r * W);
        store(work.head_total + H * W, load(work.head_total + H * W) + total);

        for (int l = net.layers - 1; l >= 0; --l) {
            const float* tape = work.tape_at(net, t, l);
            const float* before = t ? work.tape_at(net, t - 1, l) : nullptr;
            cell_backward(H, tape, before ? before + 4 * slab : work.c0[l], work.d_hidden[l],
                          work.d_cell[l], work.d_gates);

            float* x = work.x[l];
            if (l) {
                const float* below = work.tape_at(net, t, l - 1);
                multiply(x, below + 3 * slab, below + 5 * slab, slab);
                multiply_transposed(work.d_hidden[l - 1], H, packs.to_below[l], work.d_gates,
                                    net.gates(), true);
            } else {
                std::memcpy(x, work.window_inputs + t * net.inputs * BLOCK,
                            size_t(net.inputs) * BLOCK * 4);
            }
            float* x_hidden = x + net.width(l) * BLOCK;
            if (before) {
                multiply(x_hidden, before + 3 * slab, before + 5 * slab, slab);
                multiply_transposed(work.d_hidden[l], H, packs.to_hidden[l], work.d_gates,
                                    net.gates(), false);
            } else {
                std::memcpy(x_hidden, work.h0[l], size_t(slab) * 4);
            }
            for (int n = 0; n < BLOCK; n += W)
                for (int g = 0; g < padded; g += W)
                    transpose(work.d_gates + g * BLOCK + n, BLOCK,
                              work.d_gates_transposed + n * padded + g, padded);
            outer(work.totals[l], x, work.d_gates_transposed, padded, net.columns(l));
        }
    }
}

// Move the block's float sums into the chunk's double ones, which are in phi's order.
void flush_totals(const Net& net, Workspace& work, double* gradient) {
    const int H = net.units, gates = net.gates(), padded = net.padded_gates();
    for (int l = 0; l < net.layers; ++l) {
        const int width = net.width(l);
        double* to = gradient + net.layer_offset(l);
        const float* from = work.totals[l];
        for (int g = 0; g < gates; ++g) {
            for (int k = 0; k < width; ++k) to[g * width + k] += from[k * padded + g];
            for (int k = 0; k < H; ++k)
                to[gates * width + g * H + k] += from[(width + k) * padded + g];
            to[gates * (width + H) + g] += from[(width + H) * padded + g];
        }
        std::memset(work.totals[l], 0, size_t(net.columns(l)) * padded * 4);
    }
    double* head = gradient + net.layer_offset(net.layers);
    for (int u = 0; u <= H; ++u) head[u] += sum(load(work.head_total + u * W));
    std::memset(work.head_total, 0, size_t(H + 1) * W * 4);
}

constexpr int64_t CHUNKS = 32;

void backward(const Net& net, const float* phi, const Window& window, float* gradient,
              int threads) {
    Packs packs;
    packs.forward = pack_forward(net, phi);
    for (int l = 0; l < net.layers; ++l) {
        packs.to_below.push_back(pack_transposed(net, net.weight_ih(phi, l), net.width(l)));
        packs.to_hidden.push_back(pack_transposed(net, net.weight_hh(phi, l), net.units));
    }
    const int64_t blocks = (int64_t(window.active.size()) + BLOCK - 1) / BLOCK;
    const int64_t chunks = std::min(CHUNKS, blocks);
    const int64_t size = net.layer_offset(net.layers) + net.units + 1;
    std::vector<double> sums(size_t(size * std::max<int64_t>(chunks, 1)), 0.0);
    std::atomic<bool> out_of_memory{false};
#pragma omp parallel num_threads(threads)
    {
        const FlushDenormals flush;
        auto work = if_memory_lasts<Workspace>(net, window.normalised, window.steps);
        if (!work) out_of_memory = true;
#pragma omp for schedule(dynamic, 1)
        for (int64_t chunk = 0; chunk < chunks; ++chunk) {
            if (out_of_memory) continue;
            for (int64_t block = chunk * blocks / chunks; block < (chunk + 1) * blocks / chunks;
                 ++block) {
                gather(net, window, block * BLOCK, *work);
                recompute(net, packs, window.steps, *work);
                go_back(net, packs, net.head(phi), window.steps, *work);
                flush_totals(net, *work, sums.data() + chunk * size);
            }
        }
    }
    if (out_of_memory) throw std::bad_alloc();
    for (int64_t i = 0; i < size; ++i) {
        double total = 0;
        for (int64_t chunk = 0; chunk < chunks; ++chunk) total += sums[chunk * size + i];
        gradient[i] = float(total);
    }
    for (int l = 0; l < net.layers; ++l) {  // bias_hh has the gradient of bias_ih
        float* bias = gradient + net.layer_offset(l) + net.gates() * (net.width(l) + net.units);
        std::copy_n(bias, net.gates(), bias + net.gates());
    }
}

// The coordinates with a cotangent that is not zero (NaN is not zero) at some step of the window.
std::vector<int64_t> active_coordinates(const float* cotangents, int64_t steps, int64_t N) {
    std::vector<uint8_t> seen(size_t(N), 0);
    for (int64_t t = 0; t < steps; ++t)
        for (int64_t n = 0; n < N; ++n) seen[n] |= !(cotangents[t * N + n] == 0.0f);
    std::vector<int64_t> active;
    for (int64_t n = 0; n < N; ++n)
        if (seen[n]) active.push_back(n);
    return active;
}

}  // namespace

// Called from Python. phi and its gradient are flat: for each layer weight_ih, weight_hh, bias_ih,
// bias_hh, then the head's weight and bias. Inputs, weights and moments: see `Window`; the state is
// as `state_offset` says, cotangents [steps][coordinates]. Returns 0, or 1 where memory ran out.
extern "C" int l2l_backward(int inputs_per_coordinate, int layers, int units, const float* phi,
                            int64_t steps, int64_t coordinates, const float* inputs,
                            const float* state, const float* cotangents, float* gradient,
                            int threads, int decays, float p, const float* weights,
                            const float* moments) {
    try {
        const Window window{steps, coordinates, inputs, state, cotangents, {decays, p}, weights,
                            moments, active_coordinates(cotangents, steps, coordinates)};
        backward({inputs_per_coordinate, layers, units}, phi, window, gradient, threads);
    } catch (const std::bad_alloc&) {
        return 1;
    }
    return 0;
}
