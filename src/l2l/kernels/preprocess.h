// What the LSTM sees of a gradient: equation (6) of the paper, and the gradient and its running mean
// relative to its own running size.

#pragma once

#include "vectors.h"

#include <cmath>

namespace {

// log(x) of normal numbers: the exponent, and the minimax fit of log(1 + t) / t around 1, relative
// error 2.6e-8.
inline V logarithm(V x) {
    const VI bits = (VI)x;
    const VI exponent = (bits - 0x3f3504f3) >> 23;  // the rest lies in [sqrt(1/2), sqrt(2))
    const V t = (V)(bits - (exponent << 23)) - 1.0f;
    V q = 0.08722361068964546f * t - 0.14366847276694666f;
    q = q * t + 0.1495226657325815f;
    q = q * t - 0.16562392486431107f;
    q = q * t + 0.19956833506628854f;
    q = q * t - 0.25002074093405635f;
    q = q * t + 0.33334185627660995f;
    q = q * t - 0.49999987963920123f;
    q = q * t + 0.9999999741895211f;
    return q * t + 0.693147181f * __builtin_convertvector(exponent, V);
}

// Equation (6): (log|grad| / p, sign(grad)) where |grad| >= e^-p, else (-1, e^p grad).
struct SizeAndSign {
    float p, threshold, scale;
    explicit SizeAndSign(float p)
        : p(p), threshold(float(std::exp(-double(p)))), scale(float(std::exp(double(p)))) {}

    void operator()(V g, V& magnitude, V& sign) const {
        const V one = V{} + 1.0f, infinity = V{} + INFINITY;
        const V size = g < 0.0f ? -g : g;
        const V log = size == infinity ? infinity : logarithm(size) / p;
        magnitude = size >= threshold ? log : (size == size ? -one : size);
        sign = size >= threshold ? (g < 0.0f ? -one : one) : scale * g;
    }
};

// m / sqrt(v) and g / sqrt(v) for each of some decays, then equation (6) where p is not 0.
struct Normalised {
    int decays;
    float p;
    int inputs() const { return 2 * decays + (p != 0.0f ? 2 : 0); }
    int moments() const { return 2 * decays; }

    // A step of a block. Moments are slabs m and v of each decay, which change; weights are those
    // of the new gradient in them. `moves` gets 0 where no gradient was ever anything but 0.
    void operator()(const float* weights, const float* gradient, float* moments, float* inputs,
                    float* moves) const {
        const SizeAndSign equation_6(p);
        for (int at = 0; at < BLOCK; at += W) {
            const V g = load(gradient + at), zero = {};
            V any = {};
            for (int d = 0; d < decays; ++d) {
                float *m_at = moments + 2 * d * BLOCK + at, *v_at = m_at + BLOCK;
                V m = load(m_at), v = load(v_at);
                m += weights[d] * (g - m);
                v += weights[d] * (g * g - v);
                store(m_at, m);
                store(v_at, v);
                const V inverse = v == 0.0f ? zero : 1.0f / square_root(v);
                store(inputs + 2 * d * BLOCK + at, m * inverse);
                store(inputs + (2 * d + 1) * BLOCK + at, g * inverse);
                any = v == 0.0f ? any : V{} + 1.0f;
            }
            if (p != 0.0f) {
                V magnitude, sign;
                equation_6(g, magnitude, sign);
                store(inputs + 2 * decays * BLOCK + at, magnitude);
                store(inputs + (2 * decays + 1) * BLOCK + at, sign);
            }
            store(moves + at, any);
        }
    }
};

}  // namespace
