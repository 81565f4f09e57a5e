"""The styles as words around a prompt, for models that were trained on such."""

STYLES = {
    "plain": "{}",
    "photorealistic": "photograph of {}, natural light, sharp focus, fine detail",
    "dramatic": "{}, dramatic light, strong contrast, storm clouds, epic",
    "cinematic": "film still of {}, cinematic light, shallow depth of field, colour grading",
    "watercolour": "watercolour painting of {}, soft washes, paper texture",
    "paper-cut": "{}, layered paper cut art, coloured paper, soft shadows",
    "night": "{}, at night, moonlight, stars",
    "poster": "vintage poster of {}, bold flat shapes, few colours",
}


def styled(prompt: str, style: str) -> str:
    """A prompt in a style."""
    return STYLES[style].format(prompt.strip().rstrip("."))
