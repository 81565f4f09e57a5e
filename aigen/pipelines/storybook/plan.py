"""Understanding: from the words of a prompt to a plan of the scene.

First version: things by exact name, synonym and tag; setting, time, season and weather by keyword. The words a plan is
made of are a contract (`--plan --json`); what is not understood yet (colours, relations, actions) is null in it.
"""

import re
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from aigen.pipelines.storybook import artwork

SETTINGS = {
    "underwater": "underwater, under the sea, under water, beneath the sea, coral reef, reef, ocean floor",
    "open sea": "sea, ocean, iceberg, waves, at sea",
    "planet surface": "on the moon, on mars, planet surface, crater, alien planet, mars",
    "space": "space, outer space, galaxy, orbit, cosmos, universe, nebula, among the stars",
    "kitchen table": "table, kitchen, picnic, breakfast, dinner, lunch",
    "city street": "street, city, downtown, town, alley, traffic, sidewalk",
    "skyline": "skyline, rooftops, metropolis, skyscrapers",
    "beach": "beach, shore, seaside, coast, island, lagoon",
    "lake": "lake, pond, lily pad",
    "river": "river, stream, creek, waterfall, canal",
    "jungle": "jungle, rainforest, tropics, tropical",
    "forest": "forest, woods, woodland, wood, grove, trees",
    "desert": "desert, dunes, dune, sahara, oasis, savanna, savannah",
    "mountains": "mountains, mountain, mountaintop, summit, peak, peaks, alps, cliff, valley, himalaya",
    "garden": "garden, park, backyard, orchard, flower bed",
    "farm": "farm, barn, wheat field, wheat, crops, countryside, vineyard",
    "village": "village, hamlet, cottages, houses",
    "stage": "stage, concert, theatre, theater, spotlights, spotlight, show",
    "studio": "studio, plain background, white background, portrait",
    "room": "room, bedroom, sofa, living room, indoors, house interior, window, fireplace, library, office, floor, cafe, bar",
    "road": "road, highway, motorway, route, path",
    "snow": "snow, snowy, snowfield, winter, ice, arctic, antarctica, glacier, north pole",
    "sky": "sky, clouds, air, above the clouds",
    "meadow": "meadow, field, grass, hill, hills, prairie, lawn, pasture",
}  # fmt: skip
TIMES = {
    "night": "night, midnight, moon, full moon, moonlight, moonlit, stars, starry, starlight, nighttime, fireworks, new year's eve",
    "sunset": "sunset, dusk, evening, twilight, golden hour, sundown",
    "sunrise": "sunrise, dawn, daybreak, early morning, morning",
    "day": "day, noon, midday, afternoon, sunny, daylight, daytime, sunshine, sun",
}
SEASONS = {
    "winter": "winter, christmas, snowy, snow",
    "autumn": "autumn, fall leaves, october, november, halloween",
    "spring": "spring, springtime, april, blossom",
    "summer": "summer, july, august",
}
WEATHERS = {
    "storm": "storm, stormy, thunderstorm, thunder, lightning, tempest, hurricane",
    "rain": "rain, rainy, raining, rains, drizzle, shower, downpour",
    "snow": "snow, snowing, snowfall, snows, blizzard, snowy, snowflakes",
    "fog": "fog, foggy, mist, misty, haze, hazy",
    "wind": "wind, windy, breeze, breezy",
    "cloudy": "cloudy, overcast, clouds",
}
NUMBERS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "dozen": 12, "pair": 2, "couple": 2, "few": 3, "several": 4, "some": 3,
    "many": 7,
}  # fmt: skip
# Words that mean a picture whose name and tags do not say so well enough.
SYNONYMS = {
    "bee": "honeybee", "bird": "bird", "boat": "sailboat", "book": "closed-book", "bunny": "rabbit", "car": "automobile",
    "coffee": "hot-beverage", "dinosaur": "sauropod", "flower": "tulip", "heart": "red-heart", "hill": "mountain",
    "home": "house", "kitten": "cat", "ladybug": "lady-beetle", "moon": "full-moon", "penguin": "penguin", "plane": "airplane",
    "puppy": "dog", "ship": "ship", "spaceship": "rocket", "star": "star", "sun": "sun", "temple": "hindu-temple",
    "train": "locomotive", "tree": "deciduous-tree", "truck": "delivery-truck", "ufo": "flying-saucer", "wave": "water-wave",
    "astronaut": "astronaut", "robot": "robot", "wizard": "person-mage", "fairy": "person-fairy", "chick": "baby-chick",
    "snowman": "snowman-without-snow", "whale": "spouting-whale", "pine": "evergreen-tree", "piano": "musical-keyboard",
    "skyscraper": "office-building", "person": "person-standing", "man": "man-standing", "woman": "woman-standing",
}  # fmt: skip
STOP_WORDS = frozenset(
    """
    a about above across after against all along among an and are around as at background be beautiful before behind
    below beneath beside between big black blue bright brown by calm chasing cute down during face flying for from
    front giant gold golden gray green grey happy has having high her his huge in inside into is it its large left
    little long looking lovely near next no of off old on onto open orange or out over painting photo picture pink playing
    purple red right riding running scene silver sitting sleeping small standing tall that the their them there these
    they this through tiny to top toward towards turquoise under up very walking wearing while white with without
    yellow young
    """.split()
)
# Groups of pictures in which a tag may be looked up, the likeliest meaning first.
TAG_GROUPS = ("animals-nature", "travel-places", "food-drink", "activities", "objects", "people-body")
# A tag that many pictures share says too little to choose one.
COMMON_TAG = 6
COUNT_LIMIT = 24


@dataclass(frozen=True)
class Thing:
    """One entry of a plan: `count` times the picture `name`."""

    name: str
    count: int = 1
    color: str | None = None
    size: str = "normal"
    relation: dict[str, str] | None = None
    action: str | None = None


@dataclass(frozen=True)
class Plan:
    setting: str
    time: str
    season: str | None
    weather: str
    mood: str | None
    caption: str | None
    objects: tuple[Thing, ...]
    unmatched: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "objects": [asdict(thing) for thing in self.objects], "unmatched": list(self.unmatched)}


def make_plan(prompt: str) -> Plan:
    """The scene that a prompt asks for, as far as it is understood. Any text gives a plan."""
    text = " ".join(re.findall(r"[a-z0-9]+(?:['-][a-z0-9]+)*", prompt.lower().replace("’", "'")))
    things, unmatched = _find_things(text.split())
    setting = _keyword(SETTINGS, text) or _usual_setting(things)
    weather = _keyword(WEATHERS, text) or "clear"
    return Plan(
        setting=setting,
        time=_keyword(TIMES, text) or "day",
        season=_keyword(SEASONS, text),
        weather=weather,
        mood=None,
        caption=None,
        objects=tuple(things),
        unmatched=tuple(unmatched),
    )


@cache
def _patterns(words: str) -> re.Pattern[str]:
    choices = sorted((re.escape(word.strip()) for word in words.split(",")), key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(choices)})\b")


def _keyword(table: dict[str, str], text: str) -> str | None:
    """The entry whose word stands in the text; of several the first in the table."""
    return next((name for name, words in table.items() if _patterns(words).search(text)), None)


@cache
def _names() -> dict[str, str]:
    """What a picture can be called in so many words -> its name. Exact names win over synonyms, those over tags."""
    index = artwork.index()
    tags: dict[str, list[str]] = {}
    for group in TAG_GROUPS:
        for name, entry in index.items():
            if entry["group"] == group:
                for tag in entry["tags"]:
                    tags.setdefault(tag, []).append(name)
    rare = {tag: names[0] for tag, names in tags.items() if len(names) <= COMMON_TAG}
    exact = {name.replace("-", " "): name for name in index}
    labels = {entry["label"].lower(): name for name, entry in index.items()}
    return rare | labels | exact | SYNONYMS


@cache
def _scenery() -> frozenset[str]:
    """Single words that describe the scene and so are no things to place in it, unless a picture has that very name."""
    words = {
        word.strip()
        for table in (SETTINGS, TIMES, SEASONS, WEATHERS)
        for text in table.values()
        for word in text.split(",")
    }
    return frozenset(words - {"full moon", "moon", "sun", "window", "cottages", "houses", "fireworks", "sofa"})


def _find_things(words: list[str]) -> tuple[list[Thing], list[str]]:
    things: dict[str, int] = {}
    unmatched: list[str] = []
    number: int | None = None
    at = 0
    while at < len(words):
        length, name, plural = _longest_name(words, at)
        if name is not None and words[at - 1 : at] in (["no"], ["without"]):
            at += length
            continue
        if name is not None:
            things[name] = min(COUNT_LIMIT, things.get(name, 0) + (number or (3 if plural else 1)))
            number = None
            at += length
            continue
        word = words[at]
        if word in NUMBERS or word.isdigit():
            # "a dozen", "a pair of": the later word counts.
            number = NUMBERS.get(word) or min(COUNT_LIMIT, int(word[:3]))
        elif word not in STOP_WORDS and word not in _scenery():
            unmatched.append(word)
        at += 1
    return [Thing(name, count) for name, count in things.items()], list(dict.fromkeys(unmatched))


def _longest_name(words: list[str], at: int) -> tuple[int, str | None, bool]:
    """The picture named by the most words from `at` on: how many words, its name, and whether they are a plural."""
    for length in range(min(4, len(words) - at), 0, -1):
        phrase = " ".join(words[at : at + length])
        if phrase in _scenery() or (length == 1 and (phrase in STOP_WORDS or phrase in NUMBERS)):
            continue
        for candidate, plural in _singulars(phrase):
            if candidate in _names() and candidate not in STOP_WORDS and not candidate.isdigit():
                return length, _names()[candidate], plural
    return 0, None, False


def _singulars(phrase: str) -> list[tuple[str, bool]]:
    """The phrase itself and what it may be the plural of."""
    found = [(phrase, False)]
    for ending, instead in (("ies", "y"), ("ves", "f"), ("oes", "o"), ("es", ""), ("s", "")):
        if phrase.endswith(ending) and len(phrase) > len(ending) + 2 and not phrase.endswith("ss"):
            found.append((phrase.removesuffix(ending) + instead, True))
    return found


def _usual_setting(things: list[Thing]) -> str:
    """Where the first thing is usually seen."""
    for thing in things:
        entry = artwork.index()[thing.name]
        setting = _USUAL.get(thing.name) or _USUAL.get(entry["subgroup"]) or _USUAL.get(entry["group"])
        if setting:
            return setting
    return "meadow"


_USUAL = {
    "animal-marine": "underwater", "transport-water": "open sea", "food-drink": "kitchen table", "dishware": "kitchen table",
    "objects": "studio", "game": "room", "transport-ground": "road", "place-building": "village", "award-medal": "stage",
    "musical-instrument": "stage", "rocket": "space", "flying-saucer": "space", "satellite": "space", "ringed-planet": "space",
    "astronaut": "space", "alien": "space", "airplane": "sky", "balloon": "sky", "helicopter": "sky", "parachute": "sky",
    "kite": "meadow", "penguin": "snow", "polar-bear": "snow", "camel": "desert", "two-hump-camel": "desert", "cactus": "desert",
    "spouting-whale": "open sea", "whale": "underwater", "seal": "beach", "crab": "beach", "household": "room",
    "plant-flower": "garden", "duck": "lake", "swan": "lake", "frog": "lake",
}  # fmt: skip
