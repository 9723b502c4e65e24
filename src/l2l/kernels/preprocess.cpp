// Equation (6) of the paper for all coordinates: what the LSTM sees of a gradient.

#include "vectors.h"

#include <algorithm>
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

}  // namespace

// Called from Python. Features are [coordinates][2]: (log|grad| / p, sign(grad)) where
// |grad| >= e^-p, else (-1, e^p grad).
extern "C" void l2l_log_features(int64_t coordinates, const float* gradient, float p,
                                 float* features, int threads) {
    const float threshold = float(std::exp(-double(p))), scale = float(std::exp(double(p)));
    const V one = V{} + 1.0f, infinity = V{} + INFINITY;
    const int64_t vectors = (coordinates + W - 1) / W;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t v = 0; v < vectors; ++v) {
        const int count = int(std::min<int64_t>(W, coordinates - v * W));
        V g = {};
        std::memcpy(&g, gradient + v * W, size_t(count) * 4);
        const V size = g < 0.0f ? -g : g;
        const V log = size == infinity ? infinity : logarithm(size) / p;
        const V magnitude = size >= threshold ? log : (size == size ? -one : size);
        const V sign = size >= threshold ? (g < 0.0f ? -one : one) : scale * g;
        for (int n = 0; n < count; ++n) {
            features[2 * (v * W + n)] = magnitude[n];
            features[2 * (v * W + n) + 1] = sign[n];
        }
    }
}
