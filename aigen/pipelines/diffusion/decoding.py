"""Frames of a video handed on while they are decoded, so that no more of them are
in memory than the decoder itself makes.

The pipelines of diffusers decode a whole video, then convert it, then return it. Here their decoder is taken over for a
call: it hands on what it has made and returns a single pixel instead, while all that a pipeline does before remains its
own.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aigen.models import device

# Decoders that make a few frames at a time, from what they remember of those before, and put them together at the end.
_CAUSAL = {"AutoencoderKLWan", "AutoencoderKLCogVideoX"}


@contextmanager
def streamed(decoder: Any, take: Callable[[Any], None], say: Callable[[], None], tiled: bool) -> Iterator[None]:
    """Have a decoder hand frames to `take`, as tensors of shape (frames, channels, height, width) from -1 to 1.

    It decodes in tiles if it is to, and on too little memory, if it can, after `say`.
    """
    decode = decoder.decode
    if tiled:
        _tile(decoder)

    def decode_and_hand_on(*arguments: Any, **more: Any) -> Any:
        nonlocal tiled
        handed_on = 0

        def hand_on(frames: Any, skipped: int = 0) -> None:
            nonlocal handed_on
            handed_on += len(frames)
            take(frames[max(0, skipped - handed_on + len(frames)) :])

        try:
            return _decode(decoder, decode, hand_on, arguments, more)
        except Exception as error:
            if tiled or not hasattr(decoder, "use_tiling") or not device.is_out_of_memory(error):
                raise
        # Not before the error is gone, which holds what was in the making.
        tiled = True
        say()
        _tile(decoder)
        before, handed_on = handed_on, 0
        return _decode(decoder, decode, lambda frames: hand_on(frames, before), arguments, more)

    decoder.decode = decode_and_hand_on
    try:
        yield
    finally:
        del decoder.decode
        if tiled:
            _tile(decoder, False)


def _tile(decoder: Any, on: bool = True) -> None:
    if on:
        decoder.enable_tiling()
    else:
        decoder.disable_tiling()
    if hasattr(decoder, "use_framewise_decoding") and type(decoder).__name__ == "AutoencoderKLLTXVideo":
        decoder.use_framewise_decoding = on


def _decode(
    decoder: Any, decode: Callable[..., Any], take: Callable[[Any], None], arguments: Any, more: dict[str, Any]
) -> Any:
    """What a decoder returns, but for the frames, of which one pixel is left."""
    if type(decoder).__name__ in _CAUSAL and not decoder.use_tiling:

        def take_piece(_: Any, __: Any, made: Any) -> Any:
            sample = made[0] if isinstance(made, tuple) else made
            take(_in_a_row(_finished(decoder, sample)))
            left = sample[..., :1, :1].clone()
            return (left, *made[1:]) if isinstance(made, tuple) else left

        hook = decoder.decoder.register_forward_hook(take_piece)
        try:
            return decode(*arguments, **more)
        finally:
            hook.remove()
    found = decode(*arguments, **more)
    sample = found[0] if isinstance(found, tuple) else found.sample
    take(_in_a_row(sample))
    left = sample[..., :1, :1].clone()
    return (left, *found[1:]) if isinstance(found, tuple) else type(found)(sample=left)


def _finished(decoder: Any, sample: Any) -> Any:
    """What Wan does with frames after its network has made them."""
    if type(decoder).__name__ != "AutoencoderKLWan":
        return sample
    from diffusers.models.autoencoders.autoencoder_kl_wan import unpatchify

    if decoder.config.patch_size is not None:
        sample = unpatchify(sample, patch_size=decoder.config.patch_size)
    return sample.clamp(-1.0, 1.0)


def _in_a_row(sample: Any) -> Any:
    """The frames of one video, one after another, of shape (frames, channels, height, width)."""
    return sample[0].permute(1, 0, 2, 3) if sample.ndim == 5 else sample
