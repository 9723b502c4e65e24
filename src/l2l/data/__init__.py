"""Data sets: what each is, where it comes from, verified by the digests of its content.

A data set is one file here and one line in `l2l.registry.DATASETS`, which names an object with
`name`, `fetch(directory)` and `load(directory)` (`sources.Dataset`). What several share:
`folder` (the user's data folder), `https` and `packages` (where files are fetched from),
`labelled` and `pictures` (two forms of data sets), `bundled` (free pictures for stand-ins).

A new set of labelled images, such as Fashion-MNIST, is a file of this form:

    from l2l.data.https import download
    from l2l.data.labelled import ArrayFile, LabelledDataset
    from l2l.data.mnist import decode_idx
    from l2l.data.sources import Source

    FILES = {  # array -> file name, shape and SHA-256 of the array, format
        "train_images": ArrayFile("train-images", (60000, 28, 28), "6ef2...", decode_idx),
        ...  # train_labels, test_images, test_labels
    }

    def from_authors() -> dict[str, bytes]:
        return {file.file: download(f"{SITE}/{file.file}") for file in FILES.values()}

    FASHION = LabelledDataset(
        name="fashion",
        title="Fashion-MNIST",
        files=FILES,
        sources=(Source("its authors' site", 55, from_authors),),
        digests={name: file.sha256 for name, file in FILES.items()},
    )

Files that a user puts into <data directory>/fashion, plain or gzipped, come before any source.
Where the files are not the four arrays themselves, `assemble` makes them (`cifar10`). With the line
`"fashion": "l2l.data.fashion:FASHION"` in the registry, `l2l data fashion` fetches the data set,
and a problem of a study trains on it by its name.
"""
