// Equation (6) of the paper for all coordinates.

#include "preprocess.h"

#include <algorithm>

// Called from Python. Features are [coordinates][2], see SizeAndSign.
extern "C" void l2l_log_features(int64_t coordinates, const float* gradient, float p,
                                 float* features, int threads) {
    const SizeAndSign equation_6(p);
    const int64_t vectors = (coordinates + W - 1) / W;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t v = 0; v < vectors; ++v) {
        const int count = int(std::min<int64_t>(W, coordinates - v * W));
        V g = {}, magnitude, sign;
        std::memcpy(&g, gradient + v * W, size_t(count) * 4);
        equation_6(g, magnitude, sign);
        for (int n = 0; n < count; ++n) {
            features[2 * (v * W + n)] = magnitude[n];
            features[2 * (v * W + n) + 1] = sign[n];
        }
    }
}
