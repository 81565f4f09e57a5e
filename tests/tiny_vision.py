"""Real networks of transformers that see, tiny and with random weights,
saved as folders; and what only looks like them.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy
from safetensors.numpy import save_file

WORDS = ("a", "red", "bus", "on", "the", "street", ".", "car", "wheel", "A", "of", "people")
BINS = 1000
POST = ("pure_text", "description_with_bboxes", "description_with_bboxes_or_polygons", "phrase_grounding")


def write_seeing(folder: Path, sort: str = "Florence2ForConditionalGeneration", numbers: int = 1000) -> Path:
    """A folder that looks like a model that sees, with so many numbers; it needs no torch and sees nothing."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"architectures": [sort]}))
    for name in ("preprocessor_config.json", "processor_config.json", "tokenizer.json"):
        (folder / name).write_text("{}")
    save_file({"weight": numpy.zeros(numbers, "float32")}, folder / "model.safetensors")
    return folder


def save_florence(folder: Path, says: str | None = None, seed: int = 0) -> Path:
    """A Florence-2 that says something of its own, or this of every picture: words, and `<loc_12>` for places."""
    import torch

    torch.manual_seed(seed)
    tokenizer = _tokenizer()
    network = _florence(len(tokenizer))
    if says is None:
        _loosen(network, tokenizer)
    else:
        _teach(network, tokenizer(says)["input_ids"])
    network.save_pretrained(folder)
    _processor(tokenizer).save_pretrained(folder)
    return folder


def _tokenizer() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    tokens = ["<s>", "<pad>", "</s>", "<unk>", *WORDS, *(f"Ġ{word}" for word in WORDS)]  # Ġ: after a blank
    words = Tokenizer(models.WordLevel({token: place for place, token in enumerate(tokens)}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        extra_special_tokens={"image_token": "<image>"},
    )
    tokenizer.add_tokens([f"<loc_{place}>" for place in range(BINS)], special_tokens=True)
    return tokenizer


def _processor(tokenizer: Any) -> Any:
    from transformers import CLIPImageProcessorPil, Florence2Processor

    size = {"height": 32, "width": 32}
    pictures = CLIPImageProcessorPil(size=size, do_center_crop=False, image_seq_length=65, default_to_square=True)
    return Florence2Processor(pictures, tokenizer, post_processor_config={each: {} for each in POST})


def _florence(vocabulary: int) -> Any:
    from transformers import Florence2Config, Florence2ForConditionalGeneration

    text = {
        "model_type": "bart",
        "vocab_size": vocabulary,
        "d_model": 64,
        "encoder_layers": 1,
        "decoder_layers": 1,
        "encoder_attention_heads": 2,
        "decoder_attention_heads": 2,
        "encoder_ffn_dim": 32,
        "decoder_ffn_dim": 32,
        "max_position_embeddings": 1024,
        "bos_token_id": 0,
        "pad_token_id": 1,
        "eos_token_id": 2,
        "decoder_start_token_id": 2,
        "forced_bos_token_id": 0,
        "forced_eos_token_id": 2,
    }
    vision = {
        "depths": [1],
        "patch_size": [7],
        "patch_stride": [4],
        "patch_padding": [3],
        "patch_prenorm": [False],
        "embed_dim": [16],
        "num_heads": [1],
        "num_groups": [1],
        "window_size": 4,
        "projection_dim": 64,
    }
    image = vocabulary - BINS - 1
    return Florence2ForConditionalGeneration(
        Florence2Config(text_config=text, vision_config=vision, image_token_id=image)
    ).eval()


def _loosen(network: Any, tokenizer: Any) -> None:
    """Have it say words too, and none twice."""
    import torch

    words = network.get_input_embeddings().weight
    with torch.no_grad():
        words.normal_(0, 0.5)[len(tokenizer) - BINS :] *= 0.6
    network.generation_config.no_repeat_ngram_size = 1


def _teach(network: Any, tokens: Sequence[int]) -> None:
    """Have it say these tokens whatever it sees: each place in what it writes stands for one of them alone."""
    import torch

    said = [0, *tokens, 2]  # after the token that it starts with
    decoder = network.model.language_model.decoder
    with torch.no_grad():
        network.get_input_embeddings().weight.normal_(0, 0.01)
        decoder.embed_positions.weight.zero_()
        for place, token in enumerate(said):
            decoder.embed_positions.weight[place + 2, place] = 20  # BART leaves two places free
            network.get_input_embeddings().weight[token, place] = 2


def save_dfine(folder: Path, seed: int = 0) -> Path:
    """A D-FINE that takes nearly everything for something."""
    import torch
    from transformers import DFineConfig, DFineForObjectDetection, RTDetrImageProcessorPil

    torch.manual_seed(seed)
    backbone = {
        "model_type": "hgnet_v2",
        "stem_channels": [3, 8, 8],
        "stage_in_channels": [8, 8, 16, 16],
        "stage_mid_channels": [8, 8, 8, 8],
        "stage_out_channels": [8, 16, 16, 16],
        "stage_num_blocks": [1, 1, 1, 1],
        "stage_numb_of_layers": [1, 1, 1, 1],
        "hidden_sizes": [8, 16, 16, 16],
        "depths": [1, 1, 1, 1],
        "embedding_size": 8,
        "out_indices": [2, 3, 4],
    }
    names = ("person", "bus", "traffic light", "dog")
    config = DFineConfig(
        backbone_config=backbone,
        encoder_in_channels=[16, 16, 16],
        encoder_hidden_dim=32,
        encoder_ffn_dim=32,
        encoder_attention_heads=2,
        d_model=32,
        decoder_in_channels=[32, 32, 32],
        decoder_ffn_dim=32,
        decoder_attention_heads=2,
        decoder_layers=2,
        decoder_n_points=[2, 2, 2],
        num_queries=12,
        num_denoising=0,
        hidden_expansion=0.5,
        id2label=dict(enumerate(names)),
        label2id={name: place for place, name in enumerate(names)},
        initializer_bias_prior_prob=0.65,
    )
    network = DFineForObjectDetection(config).eval()
    network.save_pretrained(folder)
    RTDetrImageProcessorPil(size={"height": 64, "width": 64}).save_pretrained(folder)
    return folder
