#include "front_end.h"

#include "front_end_tables.h"

#define QUARTER (FRONT_END_FFT_LENGTH / 4)
#define PAIRS (FRONT_END_FFT_LENGTH / 2)
#define REACH (FRONT_END_WINDOW_LENGTH / 2)
/* Pre-emphasis takes the difference of neighbours, of which there is one less. */
#define SIGNAL (FRONT_END_SAMPLES - FRONT_END_EMPHASISED)

/* Integers have a fixed point: samples times window are below 2^30, cosines are 2^30 at 1, and each
 * stage of the FFT halves, so that no sum overflows. The rounding of all stages together is some
 * units of the last place, for S1's constants 50 dB below the offset of the logarithm. */
#ifdef FRONT_END_FLOAT
#include <math.h>
typedef float wide;
#define MEAN(sum) (0.5f * (sum))
#define STAGE(sum) (sum)
#define UNIT(product) (product)
#define WEIGHTED(product) (product)
#else
typedef int64_t wide;
#define MEAN(sum) ((front_end_value)(((sum) + 1) >> 1))
#define STAGE(sum) MEAN(sum)
#define WEIGHTED(product) ((front_end_value)(((product) + (1 << 14)) >> 15))
#define UNIT(product) ((front_end_value)(((product) + (1 << 29)) >> 30))
#if (-3 >> 1) != -2
#error "the shift of a negative number must round down"
#endif
#endif

#ifndef FRONT_END_OWN_FFT

/* Sets the cosine and sine of 2 pi turn / FRONT_END_FFT_LENGTH, for half a turn at the most. */
static void angle(int32_t turn, front_end_value *cosine, front_end_value *sine)
{
    *cosine = turn <= QUARTER ? cosines[turn] : -cosines[2 * QUARTER - turn];
    *sine = turn <= QUARTER ? cosines[QUARTER - turn] : cosines[turn - QUARTER];
}

/* Swaps each pair with the one at its number's reversed bits. */
static void reorder(front_end_value *values)
{
    int32_t at, other = 0;
    for (at = 0; at < PAIRS; ++at) {
        int32_t bit = PAIRS / 2;
        if (at < other) {
            front_end_value real = values[2 * at], imaginary = values[2 * at + 1];
            values[2 * at] = values[2 * other];
            values[2 * at + 1] = values[2 * other + 1];
            values[2 * other] = real;
            values[2 * other + 1] = imaginary;
        }
        while (bit > 0 && (other & bit)) {
            other -= bit;
            bit /= 2;
        }
        other += bit;
    }
}

/* Complex FFT, radix 2, of the even samples as real and the odd ones as imaginary parts. */
static void transform_pairs(front_end_value *values)
{
    int32_t half, first, at;
    reorder(values);
    for (half = 1; half < PAIRS; half *= 2) {
        for (first = 0; first < half; ++first) {
            front_end_value cosine, sine;
            angle(first * (PAIRS / half), &cosine, &sine);
            for (at = first; at < PAIRS; at += 2 * half) {
                front_end_value *a = values + 2 * at, *b = a + 2 * half;
                wide real = UNIT((wide)b[0] * cosine + (wide)b[1] * sine);
                wide imaginary = UNIT((wide)b[1] * cosine - (wide)b[0] * sine);
                b[0] = STAGE(a[0] - real);
                b[1] = STAGE(a[1] - imaginary);
                a[0] = STAGE(a[0] + real);
                a[1] = STAGE(a[1] + imaginary);
            }
        }
    }
}

/* The spectrum of the even samples is the part of the pairs' spectrum that is symmetric, that of
 * the odd ones the rest; X[k] = even[k] + exp(-2 pi i k / length) odd[k]. */
void front_end_fft(front_end_value *values)
{
    int32_t k;
    wide first, second;
    transform_pairs(values);
    first = values[0];
    second = values[1];
    values[0] = STAGE(first + second);
    values[1] = STAGE(first - second);
    for (k = 1; k <= PAIRS / 2; ++k) {
        front_end_value *a = values + 2 * k, *b = values + 2 * (PAIRS - k), cosine, sine;
        wide even_real = MEAN((wide)a[0] + b[0]), even_imaginary = MEAN((wide)a[1] - b[1]);
        wide odd_real = MEAN((wide)a[1] + b[1]), odd_imaginary = MEAN((wide)b[0] - a[0]);
        wide real, imaginary;
        angle(k, &cosine, &sine);
        real = UNIT(odd_real * cosine + odd_imaginary * sine);
        imaginary = UNIT(odd_imaginary * cosine - odd_real * sine);
        a[0] = STAGE(even_real + real);
        a[1] = STAGE(even_imaginary + imaginary);
        b[0] = STAGE(even_real - real);
        b[1] = STAGE(imaginary - even_imaginary);
    }
}

#endif /* FRONT_END_OWN_FFT */

/* Real and imaginary part of a bin, squared and added. */
#ifdef FRONT_END_FLOAT
static float power(const float *values, int32_t bin)
#else
static uint64_t power(const int32_t *values, int32_t bin)
#endif
{
    wide real = values[2 * bin], imaginary = values[2 * bin + 1];
    if (bin == 0 || bin == PAIRS) {
        real = values[bin == PAIRS];
        imaginary = 0;
    }
#ifdef FRONT_END_FLOAT
    return real * real + imaginary * imaginary;
#else
    return (uint64_t)(real * real) + (uint64_t)(imaginary * imaginary);
#endif
}

#ifdef FRONT_END_FLOAT

static float band_feature(const float *values, int32_t band, int32_t weight)
{
    float sum = 0.0f;
    int32_t bin = band_begins[band];
    for (; weight < band_ends[band]; ++weight, ++bin)
        sum += weights[weight] * power(values, bin);
    sum = fmaxf(sum + FRONT_END_LOG_OFFSET, FRONT_END_SMALLEST_POWER);
    return (logf(sum) * FRONT_END_LOG_FACTOR - means[band * FRONT_END_SCALED_BANDS])
           / scales[band * FRONT_END_SCALED_BANDS];
}

#else

/* Base-2 logarithm of high * 2^32 + low, or of 1 if that is 0, times 2^16. */
static int32_t logarithm(uint64_t high, uint64_t low)
{
    int32_t exponent = 63, step, rest;
    uint64_t mantissa = (high << 32) + low;
    if (high == 0 && low == 0)
        mantissa = 1;
    if (high >> 32) {
        mantissa = high;
        exponent += 32;
    }
    while (!(mantissa >> 63)) {
        mantissa <<= 1;
        --exponent;
    }
    step = (int32_t)(mantissa >> 57) & 63;
    rest = (int32_t)(mantissa >> 42) & 0x7fff;
    return exponent * 65536 + logarithms[step]
           + (((logarithms[step + 1] - logarithms[step]) * rest) >> 15);
}

static int8_t band_feature(const int32_t *values, int32_t band, int32_t weight)
{
    /* Weights of 16 bits times powers of 58 bits need more than 64: summed in two halves. */
    uint64_t high = FRONT_END_LOG_OFFSET_HIGH, low = FRONT_END_LOG_OFFSET_LOW;
    int32_t bin = band_begins[band], level;
    int64_t feature;
    for (; weight < band_ends[band]; ++weight, ++bin) {
        uint64_t one = power(values, bin);
        high += weights[weight] * (one >> 32);
        low += weights[weight] * (one & 0xffffffffu);
    }
    level = logarithm(high + (low >> 32), low & 0xffffffffu);
    if (level < FRONT_END_SMALLEST_LOGARITHM)
        level = FRONT_END_SMALLEST_LOGARITHM;
    feature = (gains[band * FRONT_END_SCALED_BANDS] * (int64_t)level
               + offsets[band * FRONT_END_SCALED_BANDS]) >> 32;
    return (int8_t)(feature < -128 ? -128 : feature > 127 ? 127 : feature);
}

#endif

/* Returns the place in the ring of a sample, counted from the start of the clip. */
static int32_t place_of(const front_end *state, int32_t sample)
{
    int32_t oldest = state->received - FRONT_END_RECENT; /* its place is `next` */
    int32_t place = state->next + (sample - oldest);
    return place < FRONT_END_RECENT ? place : place - FRONT_END_RECENT;
}

/* Returns a sample times its weight in the window. */
static front_end_value weighted(const front_end *state, int32_t sample, int32_t at)
{
    wide value = state->recent[place_of(state, sample)];
    wide weight = window[at <= REACH ? at : FRONT_END_WINDOW_MIRROR - at];
#if FRONT_END_EMPHASISED
    wide following = state->recent[place_of(state, sample + 1)];
#ifdef FRONT_END_FLOAT
    return (following - FRONT_END_PRE_EMPHASIS * value) * weight;
#else
    /* The difference of two samples is twice as large as a sample, so one bit less remains. */
    return UNIT(((following * 32768 - FRONT_END_PRE_EMPHASIS * value) >> 1) * weight);
#endif
#else
    return WEIGHTED(value * weight);
#endif
}

/* Loads the window around a column's centre, reflected at the ends of the clip. */
static void load(front_end *state, int32_t column)
{
    int32_t start = column * FRONT_END_HOP_LENGTH - REACH;
    int32_t at;
    for (at = 0; at < FRONT_END_WINDOW_LENGTH; ++at) {
        int32_t sample = start + at;
        if (sample < 0)
            sample = -sample;
        if (sample >= SIGNAL)
            sample = 2 * (SIGNAL - 1) - sample;
        state->values[at] = weighted(state, sample, at);
    }
    for (; at < FRONT_END_FFT_LENGTH; ++at)
        state->values[at] = 0;
}

/* Whether the samples that a column needs have been received. */
static int is_due(const front_end *state, int32_t column)
{
    int32_t centre = column * FRONT_END_HOP_LENGTH;
    int32_t last = centre + REACH - 1;
    if (REACH - centre > last)
        last = REACH - centre; /* reflected from the start of the clip */
    return state->received > last + FRONT_END_EMPHASISED || state->received == FRONT_END_SAMPLES;
}

static void write_column(front_end *state, front_end_feature *features)
{
    int32_t band;
    load(state, state->columns);
    front_end_fft(state->values);
    for (band = 0; band < FRONT_END_BANDS; ++band)
        features[band * FRONT_END_COLUMNS + state->columns] =
            band_feature(state->values, band, band == 0 ? 0 : band_ends[band - 1]);
    ++state->columns;
}

void front_end_start(front_end *state)
{
    state->received = state->next = state->columns = 0;
}

size_t front_end_push(front_end *state, const int16_t *samples, size_t count,
                      front_end_feature *features)
{
    size_t taken = 0;
    while (taken < count && state->received < FRONT_END_SAMPLES) {
        state->recent[state->next] = samples[taken++];
        state->next = state->next + 1 < FRONT_END_RECENT ? state->next + 1 : 0;
        ++state->received;
        while (state->columns < FRONT_END_COLUMNS && is_due(state, state->columns))
            write_column(state, features);
    }
    return taken;
}

int front_end_complete(const front_end *state)
{
    return state->columns == FRONT_END_COLUMNS;
}
