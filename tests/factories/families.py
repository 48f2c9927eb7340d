"""Tiny folders of every family that the engine reads: the real classes, some 100,000 untrained weights."""

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    DeepseekVLHybridConfig,
    DeepseekVLHybridForConditionalGeneration,
    Gemma3Config,
    Gemma3ForConditionalGeneration,
    LlavaConfig,
    LlavaForConditionalGeneration,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.deepseek_vl_hybrid.image_processing_pil_deepseek_vl_hybrid import (
    DeepseekVLHybridImageProcessorPil,
)
from transformers.models.deepseek_vl_hybrid.processing_deepseek_vl_hybrid import DeepseekVLHybridProcessor
from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil
from transformers.models.gemma3.processing_gemma3 import Gemma3Processor
from transformers.models.llava.processing_llava import LlavaProcessor
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from inference.engines.qwen_family import Qwen3VLProcessor

# (width, height) of the square that each sees; Qwen3-VL sees films in their own ratio.
SQUARES = {"gemma3": (56, 56), "llava": (56, 56), "deepseek_vl_hybrid": (64, 64)}
_TEXT = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 16,
    "max_position_embeddings": 1024,
}
_VISION = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 56,
    "patch_size": 14,
}


def write_tiny_model(family: str, folder: Path) -> Path:
    """Write a folder that loads, sees and writes, but has learned nothing."""
    torch.manual_seed(1)
    processor, model = _BUILDERS[family]()
    processor.save_pretrained(folder)
    model.save_pretrained(folder)
    return folder


def _tokenizer(signs: tuple[str, ...], template: str, **named: Any) -> PreTrainedTokenizerFast:
    """Bytes, a few words and the family's signs; the first two are the padding and the end."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=list(signs),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(["What is there on the left? The lungs are clear."] * 5, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=signs[0],
        eos_token=signs[1],
        chat_template=template,
        **named,
    )


def _token(tokenizer: PreTrainedTokenizerFast, sign: str) -> int:
    return int(tokenizer.get_vocab()[sign])


def _template(*, turn: str, image: str, end: str, opening: str = "", model: str) -> str:
    return (
        f"{opening}{{% for m in messages %}}{turn}{{% for c in m['content'] %}}"
        f"{{% if c['type'] == 'image' %}}{image}{{% else %}}{{{{ c['text'] }}}}{{% endif %}}{{% endfor %}}"
        f"{end}{{% endfor %}}{{% if add_generation_prompt %}}{model}{{% endif %}}"
    )


def _gemma3() -> tuple[Any, Any]:
    signs = ("<pad>", "<eos>", "<bos>", "<start_of_image>", "<end_of_image>", "<image_soft_token>")
    # As Gemma's own, its template writes the beginning of the text itself.
    template = _template(
        opening="<bos>",
        turn="<start_of_turn>user\n",
        image="<start_of_image>",
        end="<end_of_turn>\n",
        model="<start_of_turn>model\n",
    )
    tokenizer = _tokenizer(
        (*signs, "<start_of_turn>", "<end_of_turn>"),
        template,
        bos_token="<bos>",
        extra_special_tokens={
            "image_token": "<image_soft_token>",
            "boi_token": "<start_of_image>",
            "eoi_token": "<end_of_image>",
        },
    )
    width, height = SQUARES["gemma3"]
    processor = Gemma3Processor(
        image_processor=Gemma3ImageProcessorPil(size={"width": width, "height": height}),
        tokenizer=tokenizer,
        chat_template=template,
        image_seq_length=4,
    )
    model = Gemma3ForConditionalGeneration(
        Gemma3Config(
            text_config={
                **_TEXT,
                "vocab_size": len(tokenizer),
                "sliding_window": 64,
                "layer_types": ["sliding_attention", "full_attention"],
                "pad_token_id": 0,
                "eos_token_id": 1,
                "bos_token_id": 2,
            },
            vision_config=_VISION,
            mm_tokens_per_image=4,
            image_token_index=_token(tokenizer, "<image_soft_token>"),
            boi_token_index=_token(tokenizer, "<start_of_image>"),
            eoi_token_index=_token(tokenizer, "<end_of_image>"),
        )
    )
    model.generation_config.eos_token_id = [1, _token(tokenizer, "<end_of_turn>")]
    return processor, model


def _llava() -> tuple[Any, Any]:
    template = _template(turn="USER: ", image="<image>\n", end="", model=" ASSISTANT:")
    tokenizer = _tokenizer(("<pad>", "</s>", "<image>"), template)
    width, height = SQUARES["llava"]
    processor = LlavaProcessor(
        image_processor=CLIPImageProcessorPil(
            size={"shortest_edge": width}, crop_size={"width": width, "height": height}
        ),
        tokenizer=tokenizer,
        chat_template=template,
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
    )
    model = LlavaForConditionalGeneration(
        LlavaConfig(
            text_config={
                **_TEXT,
                "model_type": "llama",
                "vocab_size": len(tokenizer),
                "pad_token_id": 0,
                "eos_token_id": 1,
                "bos_token_id": None,
            },
            vision_config={**_VISION, "model_type": "clip_vision_model", "projection_dim": 32},
            image_token_index=_token(tokenizer, "<image>"),
            image_seq_length=16,
        )
    )
    return processor, model


def _deepseek() -> tuple[Any, Any]:
    template = _template(turn="User: ", image="<image_placeholder>", end="\n\n", model="Assistant:")
    tokenizer = _tokenizer(
        ("<pad>", "<end>", "<image_placeholder>"),
        template,
        extra_special_tokens={"image_token": "<image_placeholder>"},
    )
    width, height = SQUARES["deepseek_vl_hybrid"]
    processor = DeepseekVLHybridProcessor(
        image_processor=DeepseekVLHybridImageProcessorPil(
            size={"width": 56, "height": 56}, high_res_size={"width": width, "height": height}
        ),
        tokenizer=tokenizer,
        chat_template=template,
        num_image_tokens=16,
    )
    model = DeepseekVLHybridForConditionalGeneration(
        DeepseekVLHybridConfig(
            text_config={
                **_TEXT,
                "model_type": "llama",
                "vocab_size": len(tokenizer),
                "pad_token_id": 0,
                "eos_token_id": 1,
                "bos_token_id": None,
            },
            vision_config={**_VISION, "model_type": "siglip_vision_model"},
            high_res_vision_config={
                "model_type": "sam_vision_model",
                "hidden_size": 32,
                "output_channels": 8,
                "num_hidden_layers": 2,
                "num_attention_heads": 2,
                "image_size": width,
                "patch_size": 16,
                "window_size": 2,
                "global_attn_indexes": [1],
                "mlp_dim": 64,
            },
            image_token_id=_token(tokenizer, "<image_placeholder>"),
        )
    )
    return processor, model


def _qwen3_vl() -> tuple[Any, Any]:
    signs = ("<|endoftext|>", "<|im_end|>", "<|im_start|>", "<|vision_start|>", "<|vision_end|>")
    template = _template(
        turn="<|im_start|>user\n",
        image="<|vision_start|><|image_pad|><|vision_end|>",
        end="<|im_end|>\n",
        model="<|im_start|>assistant\n",
    )
    tokenizer = _tokenizer((*signs, "<|image_pad|>", "<|video_pad|>"), template)
    processor = Qwen3VLProcessor(
        image_processor=Qwen2VLImageProcessorPil(
            size={"shortest_edge": 64 * 64, "longest_edge": 128 * 128},
            patch_size=16,
            merge_size=2,
            temporal_patch_size=2,
        ),
        tokenizer=tokenizer,
        chat_template=template,
    )
    model = Qwen3VLForConditionalGeneration(
        Qwen3VLConfig(
            text_config={
                **_TEXT,
                "vocab_size": len(tokenizer),
                "pad_token_id": 0,
                "eos_token_id": 1,
                "bos_token_id": None,
                "rope_parameters": {
                    "rope_type": "default",
                    "rope_theta": 10000.0,
                    "mrope_section": [4, 2, 2],
                },
            },
            vision_config={
                "depth": 2,
                "hidden_size": 32,
                "intermediate_size": 64,
                "num_heads": 2,
                "patch_size": 16,
                "spatial_merge_size": 2,
                "temporal_patch_size": 2,
                "out_hidden_size": 32,
                "num_position_embeddings": 64,
                "deepstack_visual_indexes": [0],
            },
            image_token_id=_token(tokenizer, "<|image_pad|>"),
            video_token_id=_token(tokenizer, "<|video_pad|>"),
            vision_start_token_id=_token(tokenizer, "<|vision_start|>"),
            vision_end_token_id=_token(tokenizer, "<|vision_end|>"),
        )
    )
    return processor, model


def write_tiny_text_model(folder: Path) -> Path:
    """As `write_tiny_model`, of a model that reads text and sees no films."""
    torch.manual_seed(1)
    tokenizer = _text_tokenizer()
    tokenizer.save_pretrained(folder)
    shape: dict[str, Any] = {name: size for name, size in _TEXT.items() if name != "head_dim"}
    config = Qwen2Config(vocab_size=len(tokenizer), eos_token_id=1, pad_token_id=0, **shape)
    Qwen2ForCausalLM(config).save_pretrained(folder)
    return folder


def write_set_phrase_model(folder: Path, phrase: str) -> Path:
    """A model that reads text and always writes this phrase: one token follows the beginning of its turn, and
    the end follows that, by weights that are set and not learned."""
    tokenizer = _text_tokenizer()
    tokenizer.add_tokens([phrase])
    tokenizer.save_pretrained(folder)
    shape: dict[str, Any] = {name: size for name, size in _TEXT.items() if name != "head_dim"}
    shape["max_position_embeddings"] = 16_384
    config = Qwen2Config(
        vocab_size=len(tokenizer), eos_token_id=1, pad_token_id=0, tie_word_embeddings=False, **shape
    )
    model = Qwen2ForCausalLM(config)
    turn, said, end = _token(tokenizer, "<model>"), _token(tokenizer, phrase), 1
    with torch.no_grad():
        for weights in model.parameters():
            weights.zero_()
        model.model.norm.weight.fill_(1.0)
        for place, (token, follows) in enumerate(((turn, said), (said, end))):
            model.model.embed_tokens.weight[token, place] = 1.0
            model.lm_head.weight[follows, place] = 1.0
    model.save_pretrained(folder)
    return folder


def _text_tokenizer() -> PreTrainedTokenizerFast:
    template = "{% for m in messages %}<user>{{ m['content'] }}{% endfor %}<model>"
    return _tokenizer(("<pad>", "<eos>", "<user>", "<model>"), template)


_BUILDERS = {
    "gemma3": _gemma3,
    "llava": _llava,
    "deepseek_vl_hybrid": _deepseek,
    "qwen3_vl": _qwen3_vl,
}
FAMILIES = tuple(_BUILDERS)
