"""Data sets: what each is, where it comes from, verified by the digests of its content.

A data set is one file here and one line in `l2l.registry.DATASETS`, which names an object with
`name`, `fetch(directory)` and `load(directory)` (`sources.Dataset`). What several share:
`folder` (the user's data folder), `sources` (which fetches what is missing or corrupt there),
`https` and `packages` (downloads), `labelled` and `pictures` (two forms of data sets), `bundled`
(free pictures for stand-ins).

docs/extending.md has an example of a new one.
"""
