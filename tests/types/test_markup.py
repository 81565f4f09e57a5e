"""Markup of other programs in prompts: it changes neither counts nor colours, and nothing vanishes without a word."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigen import pipelines
from aigen.errors import UsageError
from aigen.orders import lifecycle, placing, tasks
from aigen.orders.context import Context
from aigen.pipelines.storybook.understanding.plan import make_plan
from aigen.settings import NO_SETTINGS
from aigen.types.markup import read_markup
from aigen.types.pipeline import Run, Task
from aigen.types.reports import Report, Said
from aigen.types.request import Draft
from tests.conftest import Scribbler, run_aigen

TEXTS = {
    "two ((white)) dogs": "two white dogs",
    "a (red:1.3) car": "a red car",
    "a (red car:.8) in [snow]": "a red car in snow",
    "((two)) cats": "two cats",
    "cat::2 dog::1": "cat, dog",
    "{{masterpiece}}, a fox": "masterpiece, a fox",
    "a fox <lora:ink:0.8> in the <hypernet:x> snow": "a fox in the snow",
    "embedding:bad a fox, (embedding:x.pt:1.2)": "a fox",
    "two BREAK white dogs": "two white dogs",
    "a fox --ar 16:9 --v 6 --style raw": "a fox",
    "a fox --tile under stars": "a fox under stars",
    "a fox —ar 16:9": "a fox",
    "(a fox)1.2 and (a bird)++": "a fox and a bird",
    "(a fox (in (the) snow:1.2):1.1)": "a fox in the snow",
    "a sign \\(old\\)": "a sign (old)",
    "a [cat:dog:0.5]": "a dog",
    "a [dog::0.5]": "a dog",
    "an owl in a __place__": "an owl in a place",
    "a fox\nNegative prompt: blurry\nSteps: 20, Sampler: Euler a, Seed: 5": "a fox",
    "2::red fox:: and -1::snow:: a dog": "red fox and a dog",
    "a fox (ugly:-1)": "a fox",
    "(embedding:a b) fox": "b fox",
    # No markup, and what only looks like it:
    "a sign (open 9:00 - 18:00)": "a sign open 9:00 - 18:00",
    "a car (scale 1:50)": "a car scale 1:50",
    "a map [1:1000] at (9:30)": "a map 1:1000 at 9:30",
    "[10:30:45] a clock": "10:30:45 a clock",
    "a cat (:3)": "a cat :3",
    "a function f(x) = a[0] and x^{2}": "a function f(x) = a[0] and x^{2}",
    "a girl —no older than 5— with 3 dogs": "a girl —no older than 5— with 3 dogs",
    "Steps: 3 to success": "Steps: 3 to success",
    "a card\nSteps: 1, cut the onion": "a card\nSteps: 1, cut the onion",
    "a (red)(blue) kite": "a red blue kite",
    "[a link](https://example.org)": "[a link](https://example.org)",
    "escaped \\[a\\] \\{b\\}": "escaped [a] {b}",
    "a kite at 18:30": "a kite at 18:30",
    "a smile :) and a dash -- there": "a smile :) and a dash -- there",
    "BREAK THE ICE": "BREAK THE ICE",
    '{"prompt": "a (red) kite"}': '{"prompt": "a (red) kite"}',
    "an open ( bracket": "an open ( bracket",
    "  a kite  ": "  a kite  ",
}


@pytest.mark.parametrize("prompt", TEXTS)
def test_markup_is_taken_out(prompt: str) -> None:
    assert read_markup(prompt).choose(1) == TEXTS[prompt]


def test_what_it_meant_is_kept() -> None:
    found = read_markup("a (red:1.3) car, two ((white)) dogs, [blue] <lora:x:1> --no cats --ar 16:9")
    assert dict(found.weights) == {"red": 1.3, "white": 1.21, "blue": 0.909}
    assert found.negative == "cats"
    assert found.ignored == (
        "the weight of “red”", "the weight of “white”", "--ar 16:9", "<lora:x:1>",
    )  # fmt: skip
    assert read_markup("a fox::2 car::-0.5 tree").negative == "car"
    assert read_markup("a fox\nnegative prompt: (bad:1.4), ugly").negative == "bad, ugly"
    assert read_markup("a fox\nNegative prompt: (bad:1.4)").weights == ()


def test_a_choice_is_the_seeds() -> None:
    found = read_markup("a {red|green|{dark|light} blue} kite over [sea|sand]")
    made = {found.choose(seed) for seed in range(60)}
    assert "a red kite over sea" in made
    assert len(made) == 8
    assert all(found.choose(seed) == found.choose(seed) for seed in range(60))
    assert read_markup("{2$$red|red}, {0.7::a|0.3::a} kite").choose(1) == "red, a kite"


PROMPTS = ["two white dogs and a red car", "three blue birds over a green hill at night", "five small yellow fish"]
WRAPS = ["({})", "(({}))", "[{}]", "{{{}}}", "({}:1.3)", "({}: 0.7)", "({})1.2", "({})++", "(({}:1.1))", "[{}:0.4]"]
INSERTS = ["<lora:ink:0.8>", "BREAK", "embedding:easy", "<hypernet:x:1>", "(embedding:y:1.1)"]
ENDS = ["", " --ar 16:9", " --v 6 --tile", "\nNegative prompt: seven black cats", " --no seven cats", ", <lora:a:1>"]


@given(st.data())
def test_markup_anywhere_changes_neither_counts_nor_colours(data: st.DataObject) -> None:
    prompt = data.draw(st.sampled_from(PROMPTS))
    words = prompt.split()
    for _ in range(data.draw(st.integers(0, 4))):
        begin = data.draw(st.integers(0, len(words) - 1))
        end = data.draw(st.integers(begin + 1, len(words)))
        words[begin:end] = [data.draw(st.sampled_from(WRAPS)).format(" ".join(words[begin:end]))]
    for _ in range(data.draw(st.integers(0, 2))):
        words.insert(data.draw(st.integers(0, len(words))), data.draw(st.sampled_from(INSERTS)))
    marked = " ".join(words) + data.draw(st.sampled_from(ENDS))
    found = read_markup(marked).choose(1)
    assert found == prompt, marked
    assert read_markup(found).choose(1) == found


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    once = read_markup(text).choose(1)
    assert isinstance(read_markup(once).choose(1), str)


@pytest.mark.parametrize(
    "text", ["(" * 50_000, "((a" * 9_000, "{a|" * 9_000, "a::" * 30_000, "--a " * 30_000, "__a" * 9_000]
)
def test_long_texts_are_read_at_once(text: str) -> None:
    read_markup(text)


def test_storybook_draws_what_was_meant() -> None:
    plan = make_plan(read_markup("masterpiece, a (red:1.3) car, two ((white)) dogs").choose(1))
    assert [(each.count, each.name, each.color) for each in plan.objects] == [
        (1, "automobile", "red"),
        (2, "dog", "white"),
    ]


def test_an_order_is_made_of_its_prompt_without_markup_and_says_what_is_not_heeded(
    context: Context, scribbler: Scribbler
) -> None:
    said: list[Report] = []
    prompts: list[tuple[int, str]] = []
    scribbler.before = lambda task, run, number: prompts.append((number, task.prompt))
    draft = Draft(prompt="a {red|blue} (kite:1.2) --ar 16:9 --no birds", images=6, videos=0, seed=3)
    order = lifecycle.generate(replace(context, report=said.append), draft, "ana")
    assert order.prompt == draft.prompt, "what was typed is what is shown"
    assert {prompt for _, prompt in prompts} == {"a red kite", "a blue kite"}
    found = read_markup(draft.prompt or "")
    assert sorted(prompts) == [(number, found.choose(2 + number)) for number in range(1, 7)]
    texts = [report.text for report in said if isinstance(report, Said)]
    told = "in the prompt, this is not heeded: the weight of “kite”, --ar 16:9, not: birds"
    assert texts.count(told) == 1


def test_a_model_that_heeds_a_negative_prompt_gets_it(context: Context) -> None:
    tasks_made: list[Task] = []

    def look(task: Task, run: Run, number: int) -> None:
        tasks_made.append(task)

    scribbler = Scribbler(options=frozenset({"negative"}), before=look)
    diffusion = replace(context, load=lambda name, settings: scribbler)
    draft = Draft(prompt="a (red:1.3) kite\nNegative prompt: birds", images=1, videos=0)
    lifecycle.generate(diffusion, draft, "ana")
    assert (tasks_made[0].prompt, tasks_made[0].options.negative) == ("a red kite", "birds")
    assert tasks_made[0].weights == (("red", 1.3),)
    given = placing.estimate(diffusion, replace(draft, negative="clouds")).request
    assert given.negative == "clouds", "what was asked for by itself wins"


def test_a_prompt_that_is_only_markup_is_refused(context: Context) -> None:
    with pytest.raises(UsageError, match="the prompt is only markup"):
        placing.estimate(context, Draft(prompt="<lora:x:1> --ar 16:9"))


def test_what_was_seen_in_a_picture_is_nobodys_markup() -> None:
    request = placing.estimate(
        Context(None, None, settings=NO_SETTINGS, load=pipelines.load),  # type: ignore[arg-type]
        Draft(prompt="a (red) kite", images=1, videos=0),
    ).request
    assert tasks.prompt_of(request).text == "a red kite"


def test_the_plan_shows_it() -> None:
    done = run_aigen("generate", "two ((white)) dogs <lora:x:1>", "--plan", "--model", "storybook")
    assert "2 white dog" in done.stdout
    assert "in the prompt, this is not heeded: the weight of “white”, <lora:x:1>" in done.stderr
