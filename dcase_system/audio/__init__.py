"""Samples: decoding, resampling, waveform store, front ends, augmentation. Uses no labels."""
