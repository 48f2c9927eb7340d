"""The options by which a command names the model that it asks, and how that model is loaded."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from inference.dialects.shapes import shape_of
from inference.engines import EndpointSettings, EngineSettings
from inference.presets import PRESETS, ServingPreset
from inference.prompts import template


def add_model(parser: argparse.ArgumentParser) -> argparse._MutuallyExclusiveGroup:
    """A folder or a model server, one of them; the group, so that a command can add another."""
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--model", type=Path, help="folder of the weights")
    where.add_argument(
        "--endpoint",
        metavar="URL",
        help="of a model server that speaks the OpenAI chat protocol, as in http://127.0.0.1:8000/v1; other "
        "machines must be named in INFERENCE_ENDPOINTS (scheme, host, port; by commas). "
        "INFERENCE_ENDPOINT_KEY holds the key, where it asks for one",
    )
    parser.add_argument("--served-model", default="", help="the model's name at that server, or in that file")
    parser.add_argument(
        "--num-in-flight", type=int, default=16, help="requests that the server is sent at once"
    )
    parser.add_argument(
        "--preset", choices=sorted(PRESETS), default="phantom", help="how the model is asked and read"
    )
    parser.add_argument(
        "--device",
        default="auto",
        help="where a folder's model computes: auto (CUDA, else MPS, else the CPU), cpu, cuda:1, mps, spread "
        "over all CUDA devices, or over those of a list, as in cuda:0=40GiB,cuda:1,cpu,disk",
    )
    parser.add_argument(
        "--dtype", default="auto", help="auto (what fits the device), float32, bfloat16 or float16"
    )
    return where


def settings_of(options: argparse.Namespace, preset: ServingPreset) -> EngineSettings | EndpointSettings:
    """Raises ValueError, saying the way out, where the model can't be asked so."""
    if options.endpoint is None:
        if not preset.transformers_class:
            raise ValueError(
                f"{preset.name} brings code of its own, which never runs from a shell. Serve it elsewhere "
                "and name that with --endpoint and --served-model, or register its folder on the platform, "
                "where an admin can allow it."
            )
        return EngineSettings(
            folder=options.model,
            min_pixels=preset.min_pixels,
            max_pixels=preset.max_pixels,
            preparation=preset.preparation,
            device=options.device,
            dtype=options.dtype,
        )
    if options.num_in_flight < 1:
        raise ValueError("--num-in-flight is at least 1.")
    named = os.environ.get("INFERENCE_ENDPOINTS", "").split(",")
    prompt = template(preset.prompt_template)
    return EndpointSettings(
        url=options.endpoint,
        served_model=options.served_model,
        origins=frozenset(origin.strip() for origin in named if origin.strip()),
        key=os.environ.get("INFERENCE_ENDPOINT_KEY", ""),
        min_pixels=preset.min_pixels,
        max_pixels=preset.max_pixels,
        preparation=preset.preparation,
        size_multiple=preset.size_multiple,
        shape=shape_of(preset.prompt_template, dialect=preset.dialect, reasons=prompt.reasons),
        num_in_flight=options.num_in_flight,
    )
