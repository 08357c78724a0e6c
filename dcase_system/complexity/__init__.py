"""Counters of parameters and multiply-accumulates, and the rules of each challenge edition."""
