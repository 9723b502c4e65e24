# The README's steps in a fresh Debian; how to run it: docs/scale.md
FROM debian:bookworm-slim
# ca-certificates: a slim Debian trusts no server without them.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates g++ git make python3 python3-venv \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /l2l
COPY . .
RUN make .venv/ready
ENV PATH="/l2l/.venv/bin:$PATH"
CMD ["make", "replicate"]
