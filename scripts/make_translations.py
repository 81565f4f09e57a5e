"""Make `aigen/pipelines/storybook/understanding/vocabulary/translations.json.gz`:
what pictures are called in other languages.

    npm pack emojibase-data@17.0.0
    python scripts/make_translations.py emojibase-data-17.0.0.tgz

Labels and tags are emojibase's; words of the scene, numbers and colours are written here. A tag that many pictures
share stands for the first of them only where it is rare.
"""

import gzip
import json
import re
import sys
import tarfile
from pathlib import Path
from typing import Any

from make_artwork import kebab

from aigen.pipelines.storybook import artwork

TARGET = (
    Path(__file__).parent.parent
    / "aigen"
    / "pipelines"
    / "storybook"
    / "understanding"
    / "vocabulary"
    / "translations.json.gz"
)
GROUPS = ("animals-nature", "travel-places", "food-drink", "activities", "objects", "people-body", "smileys-emotion")
COMMON_TAG = 3
# For each language: setting, time and weather words, numbers and small words, colours.
SCENES = {
    "de": {
        "setting": {
            "open sea": "meer ozean see", "beach": "strand küste insel", "forest": "wald walde bäumen",
            "mountains": "berge bergen gebirge gipfel",
            "city street": "straße stadt gasse", "snow": "schnee eis", "desert": "wüste", "garden": "garten park",
            "meadow": "wiese feld gras",
            "space": "weltraum weltall all", "river": "fluss bach", "lake": "teich", "room": "zimmer haus büro",
            "village": "dorf", "farm": "bauernhof",
            "underwater": "unterwasser", "sky": "himmel wolken", "kitchen table": "küche tisch", "stage": "bühne",
            "jungle": "dschungel urwald",
        },
        "time": {"night": "nacht nachts mitternacht sternen sterne sternenhimmel",
            "sunset": "sonnenuntergang abend abends", "sunrise": "sonnenaufgang morgen morgens", "day": "tag mittag"},
        "weather": {"rain": "regen regnet", "snow": "schneit", "storm": "sturm gewitter", "fog": "nebel"},
        "words": "der die das den dem des ein eine einen einem einer und oder im in am an auf unter über neben vor "
        "hinter mit ohne von zu zum zur bei ist sind es für aus",
        "numbers": {"ein eine einen einem": 1, "zwei": 2, "drei": 3, "vier": 4, "fünf": 5, "sechs": 6, "sieben": 7,
            "viele": 8},
        "colors": {"red": "rot rote roter rotes roten", "blue": "blau blaue blauer blaues blauen",
            "green": "grün grüne grüner grünes grünen", "yellow": "gelb gelbe gelber gelbes gelben",
            "black": "schwarz schwarze schwarzer schwarzes schwarzen", "white": "weiß weiße weißer weißes weißen",
            "pink": "rosa", "purple": "lila"},
        "plurals": ("en", "n", "e", "er", "s"),
        "also": {"katze": "cat", "hund": "dog", "hunde": "dog", "pferd": "horse", "vogel": "bird", "vögel": "bird",
            "haus": "house", "baum": "deciduous-tree", "bäume": "deciduous-tree", "auto": "automobile",
            "schiff": "ship", "boot": "sailboat", "mond": "full-moon", "sonne": "sun", "blume": "tulip",
            "blumen": "tulip", "wal": "spouting-whale", "drache": "dragon", "fisch": "fish", "schloss": "castle",
            "burg": "castle", "fuchs": "fox", "füchse": "fox", "flugzeug": "airplane", "zug": "locomotive",
            "herz": "red-heart", "kuh": "cow", "kühe": "cow", "maus": "mouse", "ball": "soccer-ball",
            "kuchen": "birthday-cake"},
    },
    "es": {
        "setting": {
            "open sea": "mar océano", "beach": "playa costa isla", "forest": "bosque",
            "mountains": "montaña montañas sierra", "city street": "calle ciudad",
            "snow": "nieve hielo", "desert": "desierto", "garden": "jardín parque", "meadow": "prado campo hierba",
            "space": "espacio", "river": "río",
            "lake": "lago estanque", "room": "habitación casa oficina sala", "village": "pueblo aldea",
            "farm": "granja", "sky": "cielo nubes",
            "kitchen table": "cocina mesa", "stage": "escenario", "jungle": "selva jungla",
        },
        "time": {"night": "noche medianoche estrellas", "sunset": "atardecer ocaso anochecer",
            "sunrise": "amanecer alba mañana", "day": "día mediodía"},
        "weather": {"rain": "lluvia lluvioso lloviendo", "snow": "nevando", "storm": "tormenta", "fog": "niebla"},
        "words": "el la los las un una unos unas y o en de del al a con sin sobre bajo junto por para es son está se "
        "que su",
        "numbers": {"un una": 1, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "siete": 7,
            "muchos muchas": 8},
        "colors": {"red": "rojo roja rojos rojas", "blue": "azul azules", "green": "verde verdes",
            "yellow": "amarillo amarilla", "black": "negro negra negros negras",
            "white": "blanco blanca blancos blancas", "pink": "rosa", "purple": "morado morada"},
        "plurals": ("es", "s"),
        "also": {"gato": "cat", "gata": "cat", "perro": "dog", "caballo": "horse", "pájaro": "bird", "casa": "house",
            "árbol": "deciduous-tree", "coche": "automobile", "barco": "ship", "luna": "full-moon", "sol": "sun",
            "flor": "tulip", "ballena": "spouting-whale", "dragón": "dragon", "pez": "fish", "castillo": "castle",
            "zorro": "fox", "avión": "airplane", "tren": "locomotive", "corazón": "red-heart", "vaca": "cow",
            "ratón": "mouse", "pelota": "soccer-ball", "pastel": "birthday-cake", "mariposa": "butterfly"},
    },
    "fr": {
        "setting": {
            "open sea": "mer océan", "beach": "plage côte île", "forest": "forêt bois",
            "mountains": "montagne montagnes", "city street": "rue ville",
            "snow": "neige glace", "desert": "désert", "garden": "jardin parc", "meadow": "prairie champ herbe pré",
            "space": "espace", "river": "rivière fleuve",
            "lake": "lac étang", "room": "chambre maison bureau salon", "village": "village", "farm": "ferme",
            "sky": "ciel nuages",
            "kitchen table": "cuisine table", "stage": "scène", "jungle": "jungle",
        },
        "time": {"night": "nuit minuit étoiles", "sunset": "crépuscule soir", "sunrise": "aube aurore matin",
            "day": "jour midi"},
        "weather": {"rain": "pluie pluvieux pleut", "snow": "neigeux", "storm": "orage tempête",
            "fog": "brouillard brume"},
        "words": "le la les l' un une des et ou dans de du d' au aux à avec sans sur sous près par pour est sont en "
        "qui se son sa ses",
        "numbers": {"un une": 1, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "six": 6, "sept": 7, "beaucoup": 8},
        "colors": {"red": "rouge rouges", "blue": "bleu bleue bleus bleues", "green": "vert verte verts vertes",
            "yellow": "jaune jaunes", "black": "noir noire noirs noires", "white": "blanc blanche blancs blanches",
            "pink": "rose", "purple": "violet violette"},
        "plurals": ("s", "x"),
        "also": {"chat": "cat", "chien": "dog", "cheval": "horse", "chevaux": "horse", "oiseau": "bird",
            "maison": "house", "arbre": "deciduous-tree", "voiture": "automobile", "bateau": "ship",
            "lune": "full-moon", "soleil": "sun", "fleur": "tulip", "baleine": "spouting-whale", "dragon": "dragon",
            "poisson": "fish", "château": "castle", "renard": "fox", "avion": "airplane", "train": "locomotive",
            "cœur": "red-heart", "vache": "cow", "souris": "mouse", "ballon": "soccer-ball", "gâteau": "birthday-cake",
            "papillon": "butterfly"},
    },
    "hi": {
        "setting": {
            "open sea": "समुद्र सागर", "beach": "तट किनारे", "forest": "जंगल वन", "mountains": "पहाड़ पर्वत पहाड़ों",
            "city street": "सड़क शहर", "snow": "बर्फ", "desert": "रेगिस्तान",
            "garden": "बगीचा बगीचे बाग", "meadow": "मैदान घास", "space": "अंतरिक्ष", "river": "नदी",
            "lake": "झील तालाब", "room": "कमरा कमरे", "village": "गांव गाँव", "sky": "आसमान आकाश",
        },
        "time": {"night": "रात तारों तारे", "sunset": "सूर्यास्त शाम", "sunrise": "सूर्योदय सुबह", "day": "दिन दोपहर"},
        "weather": {"rain": "बारिश वर्षा", "storm": "तूफान", "fog": "कोहरा"},
        "words": "का की के में पर और एक है हैं से को ने साथ नीचे ऊपर पास",
        "numbers": {"एक": 1, "दो": 2, "तीन": 3, "चार": 4, "पांच": 5, "पाँच": 5},
        "colors": {"red": "लाल", "blue": "नीला नीली नीले", "green": "हरा हरी हरे", "yellow": "पीला पीली पीले",
            "black": "काला काली काले", "white": "सफेद सफ़ेद"},
        "plurals": (),
        "also": {"बिल्ली": "cat", "बिल्लियां": "cat", "बिल्लियाँ": "cat", "कुत्ता": "dog", "कुत्ते": "dog",
            "घोड़ा": "horse", "हाथी": "elephant", "पक्षी": "bird", "चिड़िया": "bird", "घर": "house",
            "पेड़": "deciduous-tree", "गाड़ी": "automobile", "कार": "automobile", "नाव": "sailboat",
            "चांद": "full-moon", "चाँद": "full-moon", "सूरज": "sun", "फूल": "tulip", "मछली": "fish", "शेर": "lion",
            "बाघ": "tiger", "गाय": "cow", "चूहा": "mouse", "बंदर": "monkey", "पतंग": "kite", "दिल": "red-heart",
            "ट्रेन": "locomotive", "मोर": "peacock"},
    },
}  # fmt: skip


def main(labels: str) -> None:
    index = artwork.index()
    with tarfile.open(labels) as archive:

        def read(name: str) -> Any:
            file = archive.extractfile(f"package/{name}")
            assert file is not None
            return json.load(file)

        names = {entry["hexcode"]: kebab(entry["label"]) for entry in read("en/data.json")}
        found = {}
        for language, scene in SCENES.items():
            by_tag: dict[str, list[tuple[int, str]]] = {}
            things: dict[str, str] = {}
            for entry in read(f"{language}/data.json"):
                name = names.get(entry["hexcode"])
                if name not in index or index[name]["group"] not in GROUPS:
                    continue
                rank = GROUPS.index(index[name]["group"])
                for tag in entry.get("tags", []):
                    by_tag.setdefault(tag.lower(), []).append((rank, name))
                if rank < len(GROUPS) - 1:
                    things[re.sub(r"[^\w' -]", "", entry["label"].lower())] = name
            tags = {
                tag: min(entries, key=lambda entry: entry[0])[1]
                for tag, entries in by_tag.items()
                if len(entries) <= COMMON_TAG and len(tag) > 2
            }
            things = tags | things | scene["also"]
            for word, name in list(things.items()):
                for ending in scene["plurals"]:
                    things.setdefault(word + ending, name)
            words: dict[str, list[tuple[str, str]]] = {}
            for field in ("setting", "time", "weather"):
                for value, text in scene[field].items():
                    for word in text.split():
                        words.setdefault(word, []).append((field, value))
            small: dict[str, Any] = dict.fromkeys(scene["words"].split())
            small |= {word: number for text, number in scene["numbers"].items() for word in text.split()}
            small |= {word: color for color, text in scene["colors"].items() for word in text.split()}
            found[language] = {"things": things, "scene": words, "words": small}
    text = json.dumps(found, ensure_ascii=False, sort_keys=True)
    TARGET.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    counts = ", ".join(f"{language} {len(table['things'])}" for language, table in found.items())
    print(f"{counts} names, {TARGET.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
