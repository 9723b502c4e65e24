"""Learned optimizers, their meta-training, and a replication of Andrychowicz et al. (2016)."""
