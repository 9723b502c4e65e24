"""How fast meta-training is, against plain PyTorch and against what the machine's sgemm reaches."""
