"""How weights are dealt to several GPUs, by FSDP or ZeRO: accelerate's options, by name and as a command has
them."""

from __future__ import annotations

from rl_feedback.engines.placement import Placement

# The layers of Qwen2.5-VL that are gathered one at a time.
LAYERS = "Qwen2_5_VLDecoderLayer,Qwen2_5_VLVisionBlock"
FSDP = {
    "fsdp_version": "2",
    "fsdp_auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
    "fsdp_transformer_layer_cls_to_wrap": LAYERS,
    "fsdp_reshard_after_forward": "true",
    "fsdp_state_dict_type": "FULL_STATE_DICT",
    "fsdp_offload_params": "false",
    "fsdp_cpu_ram_efficient_loading": "false",
}
# Whole weights can be put together at the end.
ZERO = {"zero3_save_16bit_model": "true"}


def sharding_options(placement: Placement) -> list[str]:
    """Of `accelerate launch`.

    >>> sharding_options(Placement(num_workers=2, gpus_per_worker=1, sharding="zero3"))
    ['--use_deepspeed', '--zero_stage=3', '--zero3_save_16bit_model=true']
    """
    if placement.sharding == "none":
        return []
    if placement.sharding == "fsdp":
        return ["--use_fsdp", *(f"--{name}={value}" for name, value in FSDP.items())]
    named = {"zero_stage": placement.sharding[-1], **ZERO}
    return ["--use_deepspeed", *(f"--{name}={value}" for name, value in named.items())]


def sharding_environment(placement: Placement) -> dict[str, str]:
    """The same for processes that accelerate did not launch, which it reads from their environment."""
    if placement.sharding == "none":
        return {}
    if placement.sharding == "fsdp":
        named = {name.upper(): value for name, value in FSDP.items()}
        named["FSDP_TRANSFORMER_CLS_TO_WRAP"] = named.pop("FSDP_TRANSFORMER_LAYER_CLS_TO_WRAP")
        return {"ACCELERATE_USE_FSDP": "true", **named}
    named = {"zero_stage": placement.sharding[-1], **ZERO}
    return {
        "ACCELERATE_USE_DEEPSPEED": "true",
        **{f"ACCELERATE_DEEPSPEED_{name.upper()}": value for name, value in named.items()},
    }
