"""Meta-learning: the rollout, the meta-gradient estimators, and meta-training."""
