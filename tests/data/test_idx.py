import struct

import numpy as np
import pytest

from l2l.data.idx import IdxError, decode_idx


def idx(values: np.ndarray, kind: int = 0x08) -> bytes:
    header = struct.pack(">HBB", 0, kind, values.ndim) + struct.pack(
        f">{values.ndim}I", *values.shape
    )
    return header + values.tobytes()


@pytest.mark.parametrize("shape", [(5,), (0,), (2, 3), (4, 3, 2)])
def test_decodes_what_was_encoded(shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    decoded = decode_idx(idx(values))
    assert decoded.dtype == np.uint8
    np.testing.assert_array_equal(decoded, values)


WHOLE = idx(np.arange(24, dtype=np.uint8).reshape(4, 3, 2))


@pytest.mark.parametrize("length", [0, 3, 4, 15, 16, len(WHOLE) - 1])
def test_truncation_is_named_wherever_it_falls(length: int) -> None:
    with pytest.raises(IdxError, match="truncated"):
        decode_idx(WHOLE[:length])


def test_trailing_bytes_are_refused() -> None:
    with pytest.raises(IdxError, match="too long: 41 bytes, an idx file of 4 x 3 x 2 has 40"):
        decode_idx(WHOLE + b"\0")


@pytest.mark.parametrize(
    "content", [b"\x1f\x8b\x08\x00" + WHOLE, b"<html></html>", b"\x00\x00\x08\x00"]
)
def test_wrong_magic_is_refused(content: bytes) -> None:
    with pytest.raises(IdxError, match="not an idx file"):
        decode_idx(content)


def test_a_type_other_than_uint8_is_refused() -> None:
    with pytest.raises(IdxError, match="not an idx file of uint8"):
        decode_idx(idx(np.zeros(4, dtype=np.uint8), kind=0x0D))


def test_absurd_sizes_in_the_header_do_not_allocate() -> None:
    with pytest.raises(IdxError, match="truncated"):
        decode_idx(struct.pack(">HBB3I", 0, 8, 3, 2**32 - 1, 2**32 - 1, 2**32 - 1))
