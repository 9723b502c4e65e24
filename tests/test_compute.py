"""The device of a stage, and what is said where there is none."""

from __future__ import annotations

import pytest
import torch

from l2l.compute import prepare
from l2l.config import load_config
from l2l.config.schema import STAGES, Compute, Stage
from l2l.errors import UserError

no_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU")


def compute(**settings: object) -> Compute:
    values = {"device": "cpu", "devices": {}, "threads": 1, "shortest_job": 0}
    return Compute.model_validate(values | settings)


def test_by_default_every_stage_has_the_same_device() -> None:
    settings = load_config().compute
    assert {settings.device_of(stage) for stage in (*STAGES, None)} == {"auto"}


def test_a_stage_can_have_a_device_of_its_own() -> None:
    settings = compute(devices={"train": "cuda", "tune": "auto"})
    assert [settings.device_of(stage) for stage in STAGES] == ["cuda", "auto", "cpu", "cpu"]
    assert settings.device_of(None) == "cpu"


@no_gpu
@pytest.mark.parametrize("stage", STAGES)
def test_cuda_that_is_missing_is_an_error_of_the_stages_that_ask_for_it(stage: Stage) -> None:
    with pytest.raises(UserError, match=rf"compute.devices.{stage} = cuda, but PyTorch sees no"):
        prepare(compute(devices={stage: "cuda"}), stage)
    others = dict.fromkeys([other for other in STAGES if other != stage], "cuda")
    assert prepare(compute(devices=others), stage).type == "cpu"
    with pytest.raises(UserError, match=r"compute.device = cuda, .*; set it to auto or cpu"):
        prepare(compute(device="cuda"), stage)


@gpu
@pytest.mark.parametrize("device", ["auto", "cuda"])
def test_a_gpu_is_used_where_there_is_one(device: str) -> None:
    assert prepare(compute(device=device), "train").type == "cuda"
    assert prepare(compute(device=device, devices={"train": "cpu"}), "train").type == "cpu"
