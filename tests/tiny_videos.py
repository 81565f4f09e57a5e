"""Real diffusers pipelines of videos with tiny random weights, saved as folders:
one for each way that videos are made.
"""

from pathlib import Path
from typing import Any

import torch

from tests import tiny_models


def save(folder: Path, sort: str, seed: int = 0) -> Path:
    """Make a model of a sort (animatediff, wan, wan22, ltx, cogvideox, svd) and save it in a folder."""
    torch.manual_seed(seed)
    makers = {
        "animatediff": _animatediff, "wan": _wan, "wan22": _wan22, "ltx": _ltx, "cogvideox": _cogvideox, "svd": _svd,
    }  # fmt: skip
    makers[sort]().save_pretrained(folder, safe_serialization=True)
    return folder


def adapter() -> Any:
    """A motion adapter for the tiny Stable Diffusion. Unlike one that begins its training, it changes something."""
    from diffusers.models.unets.unet_motion_model import MotionAdapter

    made: Any = MotionAdapter(
        block_out_channels=(8, 16),
        motion_layers_per_block=1,
        motion_norm_num_groups=2,
        motion_num_attention_heads=4,
        use_motion_mid_block=False,
    )
    for name, weights in made.named_parameters():
        if "proj_out" in name:
            torch.nn.init.normal_(weights, std=0.2)
    return made


def _animatediff() -> Any:
    from diffusers import AnimateDiffPipeline, DDIMScheduler

    base = tiny_models.stable_diffusion()
    return AnimateDiffPipeline(
        vae=base.vae,
        text_encoder=base.text_encoder,
        tokenizer=base.tokenizer,
        unet=base.unet,
        motion_adapter=adapter(),
        scheduler=DDIMScheduler(beta_schedule="linear", clip_sample=False, steps_offset=1),
    )


def _wan(latents: int = 16, **more: Any) -> Any:
    from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanPipeline, WanTransformer3DModel

    expanded = bool(more)
    decoder = AutoencoderKLWan(
        base_dim=4,
        z_dim=latents,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
        **more,
    )
    transformer = WanTransformer3DModel(
        patch_size=(1, 2, 2),
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=latents,
        out_channels=latents,
        text_dim=32,
        freq_dim=64,
        ffn_dim=32,
        num_layers=2,
        rope_max_seq_len=32,
    )
    scheduler = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)
    return WanPipeline(
        tokenizer=tiny_models.t5_tokenizer(),
        text_encoder=tiny_models.t5(),
        vae=decoder,
        scheduler=scheduler,
        transformer=transformer,
        expand_timesteps=expanded,
    )


def _wan22() -> Any:
    """As Wan 2.2 5B: it can start from a picture too, and its decoder makes patches of pixels."""
    return _wan(
        48,
        in_channels=12,
        out_channels=12,
        is_residual=True,
        patch_size=2,
        latents_mean=[0.0] * 48,
        latents_std=[1.0] * 48,
        scale_factor_spatial=16,
        scale_factor_temporal=4,
    )


def _ltx() -> Any:
    from diffusers import (
        AutoencoderKLLTXVideo,
        FlowMatchEulerDiscreteScheduler,
        LTXPipeline,
        LTXVideoTransformer3DModel,
    )

    narrow, few = (8, 8, 8, 8), (1, 1, 1, 1, 1)
    return LTXPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=AutoencoderKLLTXVideo(
            latent_channels=8,
            block_out_channels=narrow,
            decoder_block_out_channels=narrow,
            layers_per_block=few,
            decoder_layers_per_block=few,
        ),
        text_encoder=tiny_models.t5(),
        tokenizer=tiny_models.t5_tokenizer(),
        transformer=LTXVideoTransformer3DModel(
            in_channels=8,
            out_channels=8,
            num_attention_heads=4,
            attention_head_dim=8,
            cross_attention_dim=32,
            num_layers=1,
            caption_channels=32,
        ),
    )


def _cogvideox() -> Any:
    from diffusers import (
        AutoencoderKLCogVideoX,
        CogVideoXDDIMScheduler,
        CogVideoXPipeline,
        CogVideoXTransformer3DModel,
    )

    return CogVideoXPipeline(
        tokenizer=tiny_models.t5_tokenizer(),
        text_encoder=tiny_models.t5(),
        vae=AutoencoderKLCogVideoX(
            block_out_channels=(8, 8, 8, 8), latent_channels=4, layers_per_block=1, norm_num_groups=2
        ),
        transformer=CogVideoXTransformer3DModel(
            num_attention_heads=4,
            attention_head_dim=8,
            in_channels=4,
            out_channels=4,
            time_embed_dim=2,
            text_embed_dim=32,
            num_layers=1,
            sample_width=8,
            sample_height=8,
            sample_frames=9,
        ),
        scheduler=CogVideoXDDIMScheduler(),
    )


def _svd() -> Any:
    from diffusers import (
        AutoencoderKLTemporalDecoder,
        EulerDiscreteScheduler,
        StableVideoDiffusionPipeline,
        UNetSpatioTemporalConditionModel,
    )
    from transformers import CLIPImageProcessorPil, CLIPVisionConfig, CLIPVisionModelWithProjection

    vision = CLIPVisionConfig(
        hidden_size=32,
        projection_dim=32,
        num_hidden_layers=1,
        num_attention_heads=4,
        image_size=224,
        intermediate_size=37,
        patch_size=32,
    )
    return StableVideoDiffusionPipeline(
        vae=AutoencoderKLTemporalDecoder(
            block_out_channels=(32, 32, 32, 32), down_block_types=["DownEncoderBlock2D"] * 4
        ),
        image_encoder=CLIPVisionModelWithProjection(vision),
        unet=UNetSpatioTemporalConditionModel(
            block_out_channels=(32, 64),
            layers_per_block=1,
            down_block_types=("CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"),
            up_block_types=("UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"),
            cross_attention_dim=32,
            num_attention_heads=8,
            projection_class_embeddings_input_dim=96,
            addition_time_embed_dim=32,
            sample_size=32,
        ),
        scheduler=EulerDiscreteScheduler(
            prediction_type="v_prediction",
            timestep_type="continuous",
            use_karras_sigmas=True,
            sigma_min=0.002,
            sigma_max=700.0,
        ),
        feature_extractor=CLIPImageProcessorPil(),
    )
