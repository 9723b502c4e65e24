// Vectors of W floats by compiler extensions: what depends on the instruction set is here, but for
// AVX-512's exponential in cell.h.
//
// A block is ROWS such vectors, BLOCK coordinates; the *_TILE constants fit the tiles of the matrix
// products into the registers.

#pragma once

#include <cstdint>
#include <cstring>
#include <utility>

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

namespace {

#if defined(__AVX512F__)
constexpr int W = 16, ROWS = 4, GATE_TILE = 5;
#elif defined(__AVX__)
constexpr int W = 8, ROWS = 3, GATE_TILE = 2;
#elif defined(__ARM_NEON)
constexpr int W = 4, ROWS = 4, GATE_TILE = 5;
#else
constexpr int W = 4, ROWS = 2, GATE_TILE = 2;
#endif
constexpr int COLUMN_TILE = 5, OUTPUT_TILE = 4, BLOCK = W * ROWS;

typedef float V __attribute__((vector_size(W * 4)));
typedef int32_t VI __attribute__((vector_size(W * 4)));

inline V load(const float* p) { V v; std::memcpy(&v, p, sizeof v); return v; }
inline void store(float* p, V v) { std::memcpy(p, &v, sizeof v); }

// A load that several products share. Without the empty statement GCC repeats the load in each of
// them, and loads, not arithmetic, then bound the loop.
inline V load_once(const float* p) {
    V v = load(p);
#if defined(__AVX512F__)
    asm("" : "+v"(v));
#elif defined(__SSE__)
    asm("" : "+x"(v));
#elif defined(__ARM_NEON)
    asm("" : "+w"(v));
#endif
    return v;
}

// max and min that let a NaN in v through: a diverged run must stay visible.
inline V clamp(V v, float limit) {
    const V high = V{} + limit, low = V{} - limit;
#if defined(__AVX512F__)
    return (V)_mm512_min_ps((__m512)high, _mm512_max_ps((__m512)low, (__m512)v));
#elif defined(__AVX__)
    return (V)_mm256_min_ps((__m256)high, _mm256_max_ps((__m256)low, (__m256)v));
#else
    v = low > v ? low : v;
    return high < v ? high : v;
#endif
}

// 1 / d by estimate and Newton steps: a division would cost more than all else in an activation.
inline V reciprocal(V d) {
#if defined(__AVX512F__)
    const V r = (V)_mm512_rcp14_ps((__m512)d);
    return r * (2.0f - d * r);
#elif defined(__AVX__)
    const V r = (V)_mm256_rcp_ps((__m256)d);
    return r * (2.0f - d * r);
#elif defined(__ARM_NEON)
    V r = (V)vrecpeq_f32((float32x4_t)d);
    r = r * (2.0f - d * r);
    return r * (2.0f - d * r);
#else
    return 1.0f / d;
#endif
}

inline V square_root(V v) {
#if defined(__AVX512F__)
    return (V)_mm512_sqrt_ps((__m512)v);
#elif defined(__AVX__)
    return (V)_mm256_sqrt_ps((__m256)v);
#else
    for (int i = 0; i < W; ++i) v[i] = __builtin_sqrtf(v[i]);
    return v;
#endif
}

#if defined(__clang__)
template <int... I>
inline V interleave(V a, V b, int half, std::integer_sequence<int, I...>) {
    return half ? __builtin_shufflevector(a, b, ((I % 2 ? W : 0) + (I + W) / 2)...)
                : __builtin_shufflevector(a, b, ((I % 2 ? W : 0) + I / 2)...);
}
#else
template <int... I>
inline V interleave(V a, V b, int half, std::integer_sequence<int, I...>) {
    return half ? __builtin_shuffle(a, b, VI{((I % 2 ? W : 0) + (I + W) / 2)...})
                : __builtin_shuffle(a, b, VI{((I % 2 ? W : 0) + I / 2)...});
}
#endif

// Transpose W vectors by log2(W) perfect shuffles.
inline void transpose(const float* from, int from_stride, float* to, int to_stride) {
    constexpr auto lanes = std::make_integer_sequence<int, W>();
    V a[W], b[W];
#pragma GCC unroll 16
    for (int i = 0; i < W; ++i) a[i] = load(from + i * from_stride);
#pragma GCC unroll 4
    for (int pass = 1; pass < W; pass *= 2) {
#pragma GCC unroll 16
        for (int i = 0; i < W / 2; ++i) {
            b[2 * i] = interleave(a[i], a[i + W / 2], 0, lanes);
            b[2 * i + 1] = interleave(a[i], a[i + W / 2], 1, lanes);
        }
#pragma GCC unroll 16
        for (int i = 0; i < W; ++i) a[i] = b[i];
    }
#pragma GCC unroll 16
    for (int i = 0; i < W; ++i) store(to + i * to_stride, a[i]);
}

inline float sum(V v) {
    float total = 0;
    for (int i = 0; i < W; ++i) total += v[i];
    return total;
}

// Results that underflow become zero: denormal numbers are slow, and too small to matter.
struct FlushDenormals {
#if defined(__SSE__)
    unsigned saved = _mm_getcsr();
    FlushDenormals() { _mm_setcsr(saved | 0x8040); }
    ~FlushDenormals() { _mm_setcsr(saved); }
#else
    FlushDenormals() {}
    ~FlushDenormals() {}
#endif
};

}  // namespace
