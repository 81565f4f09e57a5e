"""Real diffusers pipelines with tiny random weights, saved as folders: one for each way that pictures are made."""

import json
from pathlib import Path
from typing import Any

import torch

PROMPT_LETTERS = [chr(code) for code in range(33, 127)]


def save(folder: Path, sort: str, seed: int = 0) -> Path:
    """Make a model of a sort (stable-diffusion, checked, xl, flux, pixart) and save it in a folder."""
    torch.manual_seed(seed)
    makers = {"stable-diffusion": stable_diffusion, "checked": _checked, "xl": _xl, "flux": _flux, "pixart": _pixart}
    makers[sort]().save_pretrained(folder, safe_serialization=True)
    return folder


def save_tiny_decoder(folder: Path) -> Path:
    from diffusers import AutoencoderTiny

    torch.manual_seed(0)
    channels = (4, 4, 4, 4)
    decoder = AutoencoderTiny(
        in_channels=3,
        out_channels=3,
        encoder_block_out_channels=channels,
        decoder_block_out_channels=channels,
        num_encoder_blocks=(1, 1, 1, 1),
        num_decoder_blocks=(1, 1, 1, 1),
    )
    decoder.save_pretrained(folder, safe_serialization=True)
    return folder


def _clip_tokenizer() -> Any:
    from transformers import CLIPTokenizer

    tokens = [*PROMPT_LETTERS, *(f"{letter}</w>" for letter in PROMPT_LETTERS), "<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer(vocab={token: place for place, token in enumerate(tokens)}, merges=[], model_max_length=77)


def t5_tokenizer() -> Any:
    from transformers import T5Tokenizer

    vocabulary = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("\u2581", -1.0)]
    return T5Tokenizer(
        vocab=vocabulary + [(letter, -2.0) for letter in PROMPT_LETTERS], extra_ids=0, model_max_length=64
    )


def _clip(width: int, projected: bool = False) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    config = CLIPTextConfig(
        bos_token_id=188,
        eos_token_id=189,
        pad_token_id=1,
        hidden_size=width,
        projection_dim=width,
        intermediate_size=37,
        num_attention_heads=4,
        num_hidden_layers=2,
        vocab_size=190,
        hidden_act="gelu",
    )
    return CLIPTextModelWithProjection(config) if projected else CLIPTextModel(config)


def t5() -> Any:
    from transformers import T5Config, T5EncoderModel

    return T5EncoderModel(
        T5Config(vocab_size=128, d_model=32, d_kv=8, d_ff=37, num_layers=2, num_heads=4, decoder_start_token_id=0)
    )


def _autoencoder(latents: int = 4, **more: Any) -> Any:
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        block_out_channels=(8, 8, 8, 8),
        norm_num_groups=4,
        down_block_types=["DownEncoderBlock2D"] * 4,
        up_block_types=["UpDecoderBlock2D"] * 4,
        latent_channels=latents,
        sample_size=64,
        **more,
    )


def _unet(width: int, **more: Any) -> Any:
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        block_out_channels=(8, 16),
        layers_per_block=1,
        sample_size=8,
        norm_num_groups=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=width,
        **more,
    )


def _scheduler() -> Any:
    from diffusers import EulerDiscreteScheduler

    return EulerDiscreteScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", timestep_spacing="trailing", steps_offset=1
    )


def stable_diffusion(**more: Any) -> Any:
    from diffusers import StableDiffusionPipeline

    parts: dict[str, Any] = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
    return StableDiffusionPipeline(
        vae=_autoencoder(),
        text_encoder=_clip(32),
        tokenizer=_clip_tokenizer(),
        unet=_unet(32),
        scheduler=_scheduler(),
        **parts | more,
    )


def _checked() -> Any:
    """Stable Diffusion with a safety checker that takes every picture for unsafe."""
    from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
    from transformers import CLIPConfig, CLIPImageProcessorPil

    vision = {
        "hidden_size": 32,
        "intermediate_size": 37,
        "num_hidden_layers": 1,
        "num_attention_heads": 4,
        "image_size": 32,
    }
    config = CLIPConfig(text_config={"hidden_size": 32}, vision_config=vision, projection_dim=32)
    checker = StableDiffusionSafetyChecker(config)
    for weights in (checker.concept_embeds, checker.special_care_embeds):
        torch.nn.init.ones_(weights)
    for thresholds in (checker.concept_embeds_weights, checker.special_care_embeds_weights):
        torch.nn.init.constant_(thresholds, -2.0)
    size = {"height": 32, "width": 32}
    processor = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=size)
    return stable_diffusion(safety_checker=checker, feature_extractor=processor, requires_safety_checker=True)


def _xl() -> Any:
    from diffusers import StableDiffusionXLPipeline

    unet = _unet(
        64,
        attention_head_dim=(2, 4),
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        transformer_layers_per_block=(1, 2),
        projection_class_embeddings_input_dim=80,
    )
    return StableDiffusionXLPipeline(
        vae=_autoencoder(),
        text_encoder=_clip(32),
        text_encoder_2=_clip(32, projected=True),
        tokenizer=_clip_tokenizer(),
        tokenizer_2=_clip_tokenizer(),
        unet=unet,
        scheduler=_scheduler(),
    )


def _flux() -> Any:
    """A transformer that matches flows."""
    from diffusers import FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel

    transformer = FluxTransformer2DModel(
        patch_size=1,
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=32,
        pooled_projection_dim=32,
        axes_dims_rope=(4, 4, 8),
    )
    return FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=_autoencoder(4, use_quant_conv=False, use_post_quant_conv=False, shift_factor=0.06, scaling_factor=1.5),
        text_encoder=_clip(32),
        tokenizer=_clip_tokenizer(),
        text_encoder_2=t5(),
        tokenizer_2=t5_tokenizer(),
        transformer=transformer,
    )


def _pixart() -> Any:
    """A transformer whose pipeline tells its steps by the old callback only."""
    from diffusers import DDIMScheduler, PixArtSigmaPipeline, PixArtTransformer2DModel

    transformer = PixArtTransformer2DModel(
        sample_size=32,
        num_layers=1,
        patch_size=2,
        attention_head_dim=8,
        num_attention_heads=3,
        caption_channels=32,
        in_channels=4,
        cross_attention_dim=24,
        out_channels=8,
        norm_num_groups=4,
    )
    return PixArtSigmaPipeline(
        transformer=transformer,
        text_encoder=t5(),
        tokenizer=t5_tokenizer(),
        vae=_autoencoder(),
        scheduler=DDIMScheduler(),
    )


def put_in_cache(cache: Path, hub: str, folder: Path) -> Path:
    """Put a model's folder into a cache of the hub, as if it had been pulled."""
    revision = "0123456789abcdef0123456789abcdef01234567"
    cached = cache / f"models--{hub.replace('/', '--')}"
    (cached / "refs").mkdir(parents=True)
    (cached / "refs" / "main").write_text(revision)
    snapshot = cached / "snapshots" / revision
    snapshot.parent.mkdir()
    folder.rename(snapshot)
    return snapshot


def write_index(folder: Path, **changes: Any) -> None:
    """Change what a model's index says."""
    path = folder / "model_index.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
