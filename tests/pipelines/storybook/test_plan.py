"""What the built-in illustrator understands of a prompt."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aigen.pipelines.storybook import artwork
from aigen.pipelines.storybook.understanding import vocabulary
from aigen.pipelines.storybook.understanding.grammar import COUNT_LIMIT
from aigen.pipelines.storybook.understanding.plan import make_plan
from aigen.pipelines.storybook.understanding.vocabulary import synonyms, tables


def things(prompt: str) -> dict[str, int]:
    return {thing.name: thing.count for thing in make_plan(prompt).objects}


def told(prompt: str, field: str) -> list[Any]:
    """One field of every object, in order."""
    return [getattr(thing, field) for thing in make_plan(prompt).objects]


def relations(prompt: str) -> dict[str, tuple[str, str]]:
    return {
        thing.name: (thing.relation["kind"], thing.relation["to"])
        for thing in make_plan(prompt).objects
        if thing.relation
    }


def test_a_prompt_is_understood() -> None:
    plan = make_plan("Two cats under a full moon in the snow")
    assert things("Two cats under a full moon in the snow") == {"cat": 2, "full-moon": 1}
    assert (plan.setting, plan.time, plan.season, plan.weather) == ("snow", "night", "winter", "snow")


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("puppy", "dog"), ("doggo", "dog"), ("hound", "dog"), ("corgi", "dog"), ("rottweiler", "dog"),
        ("skyscraper", "office-building"),
        ("limousine", "automobile"), ("sparrow", "bird"), ("trout", "fish"), ("oak", "deciduous-tree"),
        ("violinist", "singer"),
        ("fedora", "top-hat"), ("lasagna", "spaghetti"), ("catamaran", "sailboat"), ("cobra", "snake"),
        ("mansion", "house"),
        ("astronaut", "astronaut"), ("runner", "person-running"), ("teacher", "teacher"), ("wizard", "person-mage"),
    ],
)  # fmt: skip
def test_things_are_found_by_name_synonym_and_kind(word: str, name: str) -> None:
    assert name in things(f"a {word}")


@pytest.mark.parametrize(
    ("prompt", "name", "count"),
    [
        ("a kite", "kite", 1),
        ("five balloons", "balloon", 5),
        ("a dozen butterflies", "butterfly", 12),
        ("half a dozen eggs", "egg", 6),
        ("Three wolves howl", "wolf", 3),
        ("dogs barking", "dog", 3),
        ("a red car", "automobile", 1),
        ("7 penguins", "penguin", 7),
        ("9 stars above a house", "star", 9),
        ("a pair of boots", "hiking-boot", 2),
        ("a chair and a mouse under the chair", "chair", 1),
        ("1,000 bees", "honeybee", COUNT_LIMIT),
        ("a hundred balloons", "balloon", COUNT_LIMIT),
        ("many stars", "star", 8),
        ("a flock of seagulls", "bird", 7),
        ("two white mice", "mouse", 2),
        ("1000 bees", "honeybee", COUNT_LIMIT),
        ("a cat and another cat", "cat", 2),
        ("a cat, and the cat sleeps", "cat", 1),
        ("a slice of pizza", "pizza", 1),
        ("sunglasses", "sunglasses", 1),
    ],
)
def test_things_are_counted(prompt: str, name: str, count: int) -> None:
    assert things(prompt)[name] == count


@pytest.mark.parametrize(
    ("prompt", "colors"),
    [
        ("a blue elephant", ["blue"]),
        ("a red umbrella beside a yellow car", ["red", "yellow"]),
        ("a red apple, a green pear and a yellow banana", ["red", "green", "yellow"]),
        ("the car is red", ["red"]),
        ("an orange cat", ["orange"]),
        ("an orange on a plate", [None, None]),
        ("a red and a blue balloon", ["red", "blue"]),
        ("a red, a blue and a green balloon", ["red", "blue", "green"]),
        ("red & blue balloons", ["blue", "red"]),
        ("four green and purple balloons", ["purple", "green"]),
        ("a violet sky over a car", [None]),
        ("a crimson dragon and a navy whale", ["red", "blue"]),
        ("balloons over a green field", [None]),
        ("a big fluffy white dog", ["white"]),
    ],
)
def test_each_thing_has_its_own_colour(prompt: str, colors: list[str | None]) -> None:
    assert told(prompt, "color") == colors


def test_sizes_belong_to_their_things() -> None:
    assert told("a tiny fish, a huge whale, a small boat and a crab", "size") == ["tiny", "giant", "small", "normal"]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a bee left of a sunflower", {"honeybee": ("left of", "sunflower")}),
        ("a dog to the right of a cat", {"dog": ("right of", "cat")}),
        ("a bird on top of an elephant", {"bird": ("on", "elephant")}),
        ("a rabbit beneath a tree", {"rabbit": ("under", "deciduous-tree")}),
        ("a drone hovering over a truck", {"helicopter": ("above", "delivery-truck")}),
        ("a wolf hiding behind a pine", {"wolf": ("behind", "evergreen-tree")}),
        (
            "a snowman wearing a hat in front of a cabin",
            {"snowman-without-snow": ("in front of", "hut"), "top-hat": ("on", "snowman-without-snow")},
        ),
        ("a corgi wearing sunglasses", {"sunglasses": ("on", "dog")}),
        ("a cat in a top hat", {"top-hat": ("on", "cat")}),
        ("a train crossing a bridge", {"locomotive": ("on", "bridge-at-night")}),
        ("a dog crossing a road", {}),
        ("a cat next to a lamp", {"cat": ("next to", "couch-and-lamp")}),
        ("eggs in a basket", {"egg": ("inside", "basket")}),
        ("an astronaut riding a horse", {"astronaut": ("on", "horse")}),
        ("Under a big umbrella, a frog", {"frog": ("under", "umbrella")}),
        ("to the left of the tree stands a horse", {"horse": ("left of", "deciduous-tree")}),
        ("a cat and a dog on a sofa", {"cat": ("on", "couch-and-lamp"), "dog": ("on", "couch-and-lamp")}),
        ("a helicopter above the ocean", {"helicopter": ("above", "ocean")}),
        ("a lamb left of a black sheep", {"ewe": ("left of", "ewe")}),
        ("a dog in the garden", {}),
        ("a turtle with a snail on its back", {"snail": ("on", "turtle")}),
        ("a laptop with a mug beside it", {"hot-beverage": ("next to", "laptop")}),
        ("under the old oak sits a fox", {"fox": ("under", "deciduous-tree")}),
    ],
)
def test_relations_stand_on_the_subject(prompt: str, expected: dict[str, tuple[str, str]]) -> None:
    assert relations(prompt) == expected


@pytest.mark.parametrize(
    ("prompt", "present", "absent"),
    [
        ("a beach without people", set(), {"person-standing"}),
        ("a red car and a castle, no people", {"automobile", "castle"}, {"person-standing"}),
        ("an empty street with no people and no cars at dusk", set(), {"person-standing", "automobile"}),
        ("a man not wearing shoes", {"man-standing"}, {"hiking-boot"}),
        ("5 cats, 0 dogs", {"cat"}, {"dog"}),
        ("no birds or cats, but a dog", {"dog"}, {"bird", "cat"}),
    ],
)
def test_what_is_not_wanted_is_not_planned(prompt: str, present: set[str], absent: set[str]) -> None:
    assert set(things(prompt)) == present
    assert set(make_plan(prompt).absent) == absent


@pytest.mark.parametrize(
    ("prompt", "setting", "time", "weather"),
    [
        ("a robot in a workshop", "room", "day", "clear"),
        ("a boat on the sea at sunset", "open sea", "sunset", "clear"),
        ("a fox in the forest at dawn in the fog", "forest", "sunrise", "fog"),
        ("a taxi on a rainy street", "city street", "day", "rain"),
        ("an astronaut on the moon", "planet surface", "day", "clear"),
        ("a rocket", "space", "day", "clear"),
        ("a flying saucer abducting a cow at night", "farm", "night", "clear"),
        ("a sandwich", "kitchen table", "day", "clear"),
        ("a whale under the stars", "open sea", "night", "clear"),
        ("a shark", "underwater", "day", "clear"),
        ("a violin under a spotlight", "stage", "day", "clear"),
        ("the moon above two camels", "desert", "night", "clear"),
        ("five parrots on a pirate ship", "open sea", "day", "clear"),
        ("a city without rain", "city street", "day", "clear"),
        ("xyzzy", "meadow", "day", "clear"),
    ],
)
def test_setting_time_and_weather(prompt: str, setting: str, time: str, weather: str) -> None:
    plan = make_plan(prompt)
    assert (plan.setting, plan.time, plan.weather) == (setting, time, weather)


@pytest.mark.parametrize("setting", tables.SETTINGS)
def test_every_word_of_a_setting_leads_to_it(setting: str) -> None:
    for word in tables.SETTINGS[setting].split(", "):
        meanings = [value for field, value in vocabulary.scenery()[word] if field == "setting"]
        assert setting in meanings


@pytest.mark.parametrize(
    ("prompt", "actions"),
    [
        ("a dragon flying", ["fly"]),
        ("two dogs running behind a bicycle", ["run", None]),
        ("a sleeping cat", ["sleep"]),
        ("an astronaut riding a horse", ["ride", None]),
        ("a robot dances", ["dance"]),
        ("an exploding volcano", ["explode"]),
        ("ducks swimming and a frog jumping", ["swim", "jump"]),
        ("a cat watches a bird", ["watch", None]),
        ("under the oak sits a fox", [None, "sit"]),
        ("a cat", [None]),
    ],
)
def test_actions(prompt: str, actions: list[str | None]) -> None:
    assert told(prompt, "action") == actions


@pytest.mark.parametrize(
    "prompt",
    [
        "never give up",
        "success",
        "hope",
        "teamwork",
        "a motivational video",
        "Freedom!",
        "believe in yourself",
        "never stop dreaming",
    ],
)
def test_ideas_become_a_scene_with_the_words_as_caption(prompt: str) -> None:
    plan = make_plan(prompt)
    assert plan.objects
    assert plan.caption is not None
    assert plan.caption.lower() in prompt.lower()
    assert plan.unmatched == ()


def test_an_idea_beside_things_adds_its_words_only() -> None:
    plan = make_plan("never give up: a climber reaching the summit at sunrise")
    assert ([thing.name for thing in plan.objects], plan.caption) == (["person-climbing"], "Never give up")


@pytest.mark.parametrize("prompt", ["time for a walk with a dog", "this is it", "without clouds"])
def test_a_word_in_passing_is_no_idea(prompt: str) -> None:
    assert make_plan(prompt).caption is None


def test_two_of_a_kind_in_two_sizes_are_two_entries() -> None:
    assert told("a small dog and a big dog", "size") == ["small", "big"]


def test_whose_style_is_asked_for_is_no_thing() -> None:
    assert things("a house in the style of Monet with a red car") == {"house": 1, "automobile": 1}


@pytest.mark.parametrize(
    ("prompt", "colors"),
    [
        ("un gato rojo y un perro azul", ["red", "blue"]),
        ("un chien noir et une voiture rouge", ["black", "red"]),
        ("ein roter Ball und eine blaue Katze", ["red", "blue"]),
    ],
)
def test_colours_in_other_languages(prompt: str, colors: list[str]) -> None:
    assert told(prompt, "color") == colors


def test_a_caption_in_another_language_is_not_drawn_as_things() -> None:
    plan = make_plan("ein Schild mit „Hallo Welt“ und eine Katze")
    assert (plan.caption, "cat" in things("ein Schild mit „Hallo Welt“ und eine Katze")) == ("Hallo Welt", True)
    assert "waving-hand" not in [thing.name for thing in plan.objects]


def test_quoted_words_are_the_caption() -> None:
    plan = make_plan("a cat with a sign saying “Happy Birthday”")
    assert (plan.caption, [thing.name for thing in plan.objects]) == ("Happy Birthday", ["cat"])


@pytest.mark.parametrize("word", ["flummox", "ramen", "frisbee", "blackboard", "honey"])
def test_word_pieces_do_not_mislead(word: str) -> None:
    assert not {"ram", "honeybee", "skateboard"} & set(things(f"a {word}"))


def test_words_about_the_picture_ask_for_nothing() -> None:
    plan = make_plan("cinematic shot of a fox, highly detailed, 85mm lens, award winning, octane render, 4k, bokeh")
    assert ([thing.name for thing in plan.objects], plan.unmatched, plan.caption) == (["fox"], (), None)


def test_what_is_not_understood_is_told_and_what_only_describes_is_not() -> None:
    assert make_plan("a flummox and a beautiful, gently glowing wooden cat").unmatched == ("flummox",)


@pytest.mark.parametrize(
    ("prompt", "language", "expected", "setting"),
    [
        ("zwei Katzen im Schnee bei Nacht", "de", {"cat": 2}, "snow"),
        ("ein roter Ballon über dem Meer", "de", {"balloon": 1}, "open sea"),
        ("dos gatos en la playa", "es", {"cat": 2}, "beach"),
        ("un chien et un chat dans le jardin", "fr", {"dog": 1, "cat": 1}, "garden"),
        ("एक बिल्ली और दो कुत्ते", "hi", {"cat": 1, "dog": 2}, "meadow"),
        ("猫在雪地里", None, {}, "meadow"),
        ("три медведя в лесу", None, {}, "meadow"),
        ("a cat", "en", {"cat": 1}, "meadow"),
        ("", "en", {}, "meadow"),
    ],
)
def test_languages(prompt: str, language: str | None, expected: dict[str, int], setting: str) -> None:
    plan = make_plan(prompt)
    assert (plan.language, things(prompt), plan.setting) == (language, expected, setting)


WORDS = st.sampled_from(
    [
        "a", "two", "the", "no", "without", "red", "orange", "tiny", "cat", "dogs", "on", "under", "left of", "inside",
        "and", ",", ".",
        "sea", "night", "rain", "flying", "riding", "is", "never give up", "of", "slice", "with", "7", "'s", "\"",
        "moon", "xyzzy", ":",
    ]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.text(max_size=300), st.lists(WORDS, max_size=30).map(" ".join)))
def test_any_text_gives_a_plan(prompt: str) -> None:
    plan = make_plan(prompt).as_json()
    assert plan["setting"] in tables.SETTINGS
    assert plan["time"] in tables.TIMES
    assert plan["weather"] in tables.WEATHERS
    assert plan["season"] in {*tables.SEASONS, None}
    kinds = {None, *tables.RELATIONS}
    for thing in plan["objects"]:
        assert thing["name"] in artwork.index()
        assert 1 <= thing["count"] <= COUNT_LIMIT
        assert thing["color"] in {*tables.COLOURS, None}
        assert thing["size"] in {*tables.SIZES, "normal"}
        assert (thing["relation"] or {"kind": None})["kind"] in kinds
    json.dumps(plan)


def test_every_picture_in_the_tables_exists() -> None:
    index = set(artwork.index())
    assert set(synonyms.SYNONYMS.values()) <= index
    assert {name for pictures, _, _ in synonyms.SYMBOLS.values() for name in pictures} <= index
    assert set(vocabulary.things().values()) <= index
    assert index >= tables.HOLLOW
    for table in vocabulary.translations().values():
        assert set(table["things"].values()) <= index
