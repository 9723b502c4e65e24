"""What MNIST is, whatever it came from: four arrays, their idx files, shapes and digests."""

from __future__ import annotations

from l2l.data.array_file import ArrayFile
from l2l.data.idx import decode_idx

ARRAYS = {
    "train_images": ArrayFile(
        "train-images-idx3-ubyte",
        (60000, 28, 28),
        "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
        decode_idx,
    ),
    "train_labels": ArrayFile(
        "train-labels-idx1-ubyte",
        (60000,),
        "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
        decode_idx,
    ),
    "test_images": ArrayFile(
        "t10k-images-idx3-ubyte",
        (10000, 28, 28),
        "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
        decode_idx,
    ),
    "test_labels": ArrayFile(
        "t10k-labels-idx1-ubyte",
        (10000,),
        "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
        decode_idx,
    ),
}
FILE_NAMES = tuple(array.file for array in ARRAYS.values())
