"""What is said of better pictures to somebody whose order the built-in illustrator makes by default."""

from dataclasses import replace

import pytest

from aigen import pipelines
from aigen.models import machine
from aigen.orders import placing
from aigen.orders.context import Context
from aigen.settings import Settings
from aigen.types.request import Draft
from tests.conftest import run_aigen

LAPTOP = machine.Machine("cpu", "4 cores, no GPU", 16_000_000_000, 9_000_000_000, 16_000_000_000, 9_000_000_000)
LOCAL = "get a model: aigen models pull sd-turbo (2.6 GB)"
RUNWAY, OPENAI, HUGGING_FACE = "RUNWAYML_API_SECRET", "OPENAI_API_KEY", "HF_TOKEN"


def advice(context: Context, *keys: str, **wanted: object) -> str | None:
    settings = Settings(dict.fromkeys(keys, "key_0123456789"))
    draft = Draft(**{"prompt": "a kite", "images": 5, "videos": 5, "seed": 1, **wanted})  # type: ignore[arg-type]
    return placing.prepare(replace(context, settings=settings, load=pipelines.load), draft).advice


@pytest.fixture(autouse=True)
def laptop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "detect_machine", lambda: LAPTOP)


def test_it_names_the_cheapest_provider_with_a_key_and_a_model_that_fits(context: Context) -> None:
    assert advice(context) == f"for generated pictures, {LOCAL}"
    assert advice(context, RUNWAY) == (
        f"for generated pictures, add --model runway (about $3.40 for this order), or {LOCAL}"
    )
    assert "--model openai (about $0.20 for this order)" in str(advice(context, RUNWAY, OPENAI))


def test_a_provider_of_unknown_price_is_named_only_where_nothing_else_is(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert advice(context, HUGGING_FACE) == f"for generated pictures, {LOCAL}"
    small = replace(LAPTOP, memory=10**9, system_memory=10**9)
    monkeypatch.setattr(machine, "detect_machine", lambda: small)
    assert advice(context, HUGGING_FACE) == ("for generated pictures, add --model huggingface --yes (price unknown)")
    assert advice(context) is None


def test_who_makes_only_videos_is_named_only_for_videos(context: Context) -> None:
    assert "pictory" not in str(advice(context, "PICTORY_API_KEY"))
    assert "--model runway" in str(advice(context, RUNWAY, images=0, videos=1))


def test_where_somebody_chose_or_may_not_pay_no_provider_is_named(context: Context) -> None:
    assert advice(context, RUNWAY, model="storybook") is None
    assert advice(context, RUNWAY, image_model="storybook", videos=0) is None
    chosen = replace(context, settings=Settings({"AIGEN_MODEL": "storybook", RUNWAY: "key"}), load=pipelines.load)
    assert placing.prepare(chosen, Draft(prompt="a kite")).advice is None
    assert advice(replace(context, paid=False), RUNWAY) == f"for generated pictures, {LOCAL}"


def test_a_provider_that_would_refuse_the_order_is_not_named(context: Context) -> None:
    assert "runway" not in str(advice(context, RUNWAY, duration=7.5))
    assert "runway" not in str(advice(context, RUNWAY, prompt="a kite " * 200))
    assert "runway" not in str(advice(context, RUNWAY, max_cost=0.01))
    malformed = replace(context, settings=Settings({RUNWAY: "two words"}), load=pipelines.load)
    assert "runway" not in str(placing.prepare(malformed, Draft(prompt="a kite")).advice)


def test_it_is_said_with_what_makes_the_order() -> None:
    order = ("generate", "a kite", "--images", "1", "--videos", "0", "--size", "64x48", "--user", "ana")
    said = run_aigen(*order, environment={OPENAI: "sk-0123456789abcdef"}).stderr
    assert "storybook: built-in illustrator, not a generative model; for generated pictures, add --model openai" in said
    assert "for generated pictures" not in run_aigen(*order, "--model", "storybook").stderr


def test_models_begin_with_what_can_be_used_now() -> None:
    listed = run_aigen("models", environment={OPENAI: "sk-0123456789abcdef"}).stdout
    places = [listed.index(name) for name in ("\nstorybook ", "\nopenai:", "\nsd-turbo ", "\nrunway:gen4.5")]
    assert places == sorted(places)
    assert listed.startswith("Ready to use\n")
