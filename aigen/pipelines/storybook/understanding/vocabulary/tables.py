"""Hand-written words: the scene's vocabulary, modifiers, relations, and what pictures are also called.

Each table maps a meaning of the plan to the words that stand for it; of several meanings in one prompt, the first in
the table counts.
"""

SETTINGS = {
    "underwater": "underwater, under the sea, under water, beneath the sea, beneath the waves, under the waves, coral "
    "reef, reef, ocean floor, sea floor, seabed, deep sea, aquarium",
    "planet surface": "on the moon, surface of the moon, lunar surface, on mars, mars, planet surface, crater, alien "
    "planet, alien world, distant planet, strange planet, moon base, lunar landscape",
    "space": "space, outer space, galaxy, orbit, cosmos, universe, nebula, among the stars, among stars, zero gravity, "
    "starship, milky way, solar system",
    "kitchen table": "table, kitchen, picnic, breakfast, dinner, lunch, tabletop, dining table, kitchen counter, "
    "counter, tablecloth, bakery",
    "stage": "stage, concert, theatre, theater, spotlights, spotlight, show, opera, orchestra, nightclub, circus ring, "
    "dance floor, ballroom, podium",
    "studio": "studio, plain background, white background, white backdrop, blank background, isolated, product shot",
    "room": "room, coffee shop, bookshop, in a hospital, in the hospital, hospital ward, in a school, at school, "
    "bedroom, living room, indoors, house interior, window, library, office, floor, cafe, bar, classroom, museum, "
    "hallway, attic, nursery, workshop, laboratory, bathroom, shop, restaurant, "
    "gym, hospital room, armchair, carpet, rug, shelf, desk",
    "city street": "street, city, downtown, town, alley, traffic, sidewalk, avenue, crosswalk, pavement, boulevard, "
    "market square, times square, bus stop, parking lot, neighborhood, neighbourhood, city square",
    "skyline": "skyline, rooftops, metropolis, skyscrapers, cityscape, city lights, harbor city, high-rises",
    "beach": "beach, shore, seaside, seashore, coast, island, lagoon, tropical island, sand dunes by the sea, sandy "
    "shore, boardwalk",
    "open sea": "sea, ocean, iceberg, icebergs, waves, at sea, high seas, seas, harbor, harbour, port, bay, marina, "
    "pacific, atlantic",
    "lake": "lake, pond, lily pad, lily pads, lakeside, lakeshore, swamp, marsh, reservoir",
    "river": "river, stream, creek, waterfall, canal, riverbank, brook, rapids, riverside",
    "jungle": "jungle, rainforest, rain forest, tropics, tropical forest, amazon, mangrove",
    "forest": "forest, woods, woodland, wood, grove, trees, clearing, glade, treetops, pine forest, enchanted forest",
    "desert": "desert, dunes, dune, sahara, oasis, savanna, savannah, wild west, canyon, badlands, sand",
    "mountains": "mountains, mountain, snowy mountains, mountain range, mountain peak, mountaintop, summit, peak, "
    "peaks, alps, cliff, cliffs, valley, himalaya, himalayas, hillside, mountainside, ridge, gorge",
    "garden": "garden, park, backyard, orchard, flower bed, flowerbed, greenhouse, playground, botanical garden, "
    "courtyard, yard, rose garden",
    "farm": "farm, barnyard, in the barn, in a barn, wheat field, wheat, crops, countryside, vineyard, cornfield, corn "
    "field, ranch, farmyard, pasture, rice field, hay, farmland, orchard rows",
    "village": "village, hamlet, small town, market place, fairground, castle grounds, fishing village",
    "road": "road, highway, motorway, route, path, racetrack, race track, freeway, dirt road, country road, "
    "crossroads, railway, railroad, train tracks, trail",
    "snow": "snow, snowy, snowfield, winter, ice, arctic, antarctica, glacier, north pole, south pole, tundra, ski "
    "slope, ice rink, snowbank, frozen lake",
    "sky": "sky, skies, clouds, air, above the clouds, in the clouds, in flight, mid-air, midair",
    "meadow": "meadow, field, grass, hill, hills, prairie, lawn, grassland, countryside meadow, fields, steppe, "
    "plains, flower field",
}  # fmt: skip
TIMES = {
    "night": "night, nighttime, midnight, moonlight, moonlit, moonlit night, stars, starry, starlight, starry night, "
    "at night, new year's eve, after dark, darkness, night sky, bedtime, northern lights, aurora",
    "sunset": "sunset, dusk, evening, twilight, golden hour, sundown, nightfall, late afternoon, setting sun, "
    "afterglow",
    "sunrise": "sunrise, dawn, daybreak, early morning, morning, first light, rising sun, sunup",
    "day": "day, noon, midday, afternoon, sunny, daylight, daytime, sunshine, sunlit, at noon, bright day, lunchtime",
}  # fmt: skip
SEASONS = {
    "winter": "winter, christmas, xmas, snowy, snow, snowfall, december, january, february, frost, frosty, icy, wintry",
    "autumn": "autumn, fall leaves, fall foliage, in fall, in the fall, autumnal, september, october, november, "
    "halloween, harvest, thanksgiving",
    "spring": "spring, springtime, april, easter, blossoming, blooming, cherry blossoms",
    "summer": "summer, summertime, june, july, august, midsummer",
}
WEATHERS = {
    "storm": "storm, stormy, thunderstorm, thunder, lightning, tempest, hurricane, gale, typhoon",
    "rain": "rain, rainy, raining, rains, drizzle, drizzling, shower, downpour, rainstorm, pouring, puddles, wet",
    "snow": "snow, snowing, snowfall, snows, blizzard, snowy, snowflakes, snowstorm, falling snow",
    "fog": "fog, foggy, mist, misty, haze, hazy, smog",
    "wind": "wind, windy, breeze, breezy, gusty, windswept, gust",
    "cloudy": "cloudy, overcast, grey sky, gray sky, gloomy sky",
    "clear": "clear sky, blue sky, cloudless",
}
MOODS = {
    "calm": "calm, peaceful, quiet, serene, tranquil, still, gentle, relaxing",
    "happy": "happy, joyful, cheerful, funny, playful, smiling, merry, jolly, silly, fun",
    "sad": "sad, lonely, melancholic, melancholy, gloomy, abandoned",
    "spooky": "spooky, scary, creepy, haunted, eerie, frightening, sinister",
    "mysterious": "mysterious, mystic, mystical, strange, secret, enigmatic",
    "magical": "magical, enchanted, dreamy, fairytale, fantastic, whimsical, surreal",
    "romantic": "romantic, loving, tender",
    "cozy": "cozy, cosy, warm, snug, homely",
    "festive": "festive, celebration, party, celebrating",
    "epic": "epic, heroic, majestic, grand, powerful, dramatic, motivational, inspiring, inspirational",
}
COLOURS = {
    "white": "white, snow-white, ivory, cream, pale",
    "grey": "grey, gray, ash, slate, charcoal",
    "black": "black, jet-black, ebony, dark-haired",
    "red": "red, scarlet, crimson, ruby, cherry-red, maroon, burgundy",
    "orange": "orange, amber, ginger, tangerine-colored",
    "yellow": "yellow, lemon-yellow, mustard",
    "green": "green, emerald, lime-green, dark-green, mint, mint-green, olive-green",
    "turquoise": "turquoise, teal, cyan, aqua, aquamarine",
    "blue": "blue, navy, azure, dark-blue, sky-blue, cobalt, indigo, light-blue",
    "purple": "purple, violet, lilac, lavender, magenta",
    "pink": "pink, rose-colored, fuchsia, salmon-colored",
    "brown": "brown, chestnut-brown, tan, beige, chocolate-brown, bronze",
    "gold": "gold, golden, gilded",
    "silver": "silver, silvery, chrome",
}
# Colour words that are things too; colours only where another noun follows.
COLOURS_OR_THINGS = frozenset(
    "orange rose violet lavender lilac gold silver mint salmon olive peach chestnut ginger ash amber".split()
)
SIZES = {
    "tiny": "tiny, miniature, mini, minuscule, microscopic, teeny, wee, itsy-bitsy",
    "small": "small, little, short, young",
    "big": "big, large, tall, great, oversized, long",
    "giant": "giant, huge, gigantic, enormous, massive, colossal, towering, mighty",
}
NUMBERS = {
    "a": 1, "an": 1, "one": 1, "single": 1, "lone": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15,
    "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 24, "forty": 24,
    "fifty": 24, "hundred": 24, "hundreds": 24, "thousand": 24, "thousands": 24, "dozen": 12, "half a dozen": 6,
    "a dozen": 12, "two dozen": 24, "dozens of": 18, "pair": 2, "a pair of": 2, "pair of": 2, "a couple of": 2,
    "couple of": 2, "both": 2, "twin": 2, "few": 3, "a few": 3, "several": 4, "some": 3, "many": 8, "lots of": 8,
    "a lot of": 8, "plenty of": 8, "numerous": 8, "countless": 12, "hundreds of": 16, "thousands of": 20, "various": 4,
    "a group of": 5, "group of": 5, "a herd of": 6, "herd of": 6, "a flock of": 7, "flock of": 7, "a swarm of": 10,
    "swarm of": 10, "a school of": 8, "school of": 8, "a pack of": 5, "pack of": 5, "a bunch of": 5, "bunch of": 5,
    "a crowd of": 9, "crowd of": 9, "a row of": 5, "row of": 5, "a line of": 5, "a pile of": 4, "pile of": 4,
    "a stack of": 3, "stack of": 3, "a family of": 4, "family of": 4, "a team of": 4, "a fleet of": 5, "fleet of": 5,
    "a pride of": 4, "a trio of": 3, "trio of": 3,
}  # fmt: skip
# "a slice of pizza" is pizza: what is measured counts, not the measure.
MEASURES = frozenset(
    """
    slice piece cup glass mug bowl plate pot jar tray box bag loaf drop bar sheet ball kind type portion bit scoop jug
    picture painting drawing photo photograph image illustration sketch portrait poster view scene shot pint can carton
    """.split()
)
# Each meaning is a kind of relation in the plan.
RELATIONS = {
    "left of": "to the left of, on the left of, left of, at the left of, on the left side of, to the left side of",
    "right of": "to the right of, on the right of, right of, at the right of, on the right side of, to the right side "
    "of",
    "in front of": "in front of, before",
    "behind": "behind, in back of, hiding behind, hidden behind, at the back of",
    "on": "on top of, atop, on, upon, on the back of, astride, onto, perched on, riding on, mounted on",
    "under": "under, beneath, below, underneath",
    "above": "above, over, high above, up above, hovering over, hovering above",
    "next to": "next to, beside, near, by, alongside, close to, at the side of, against, with its back to, around, "
    "between, in between, facing, surrounded by, in the shadow of",
    "inside": "inside, inside of, within, in, into, out of",
}
# Parts of a setting that are drawn as things where something stands behind, above or beside them.
SCENE_PICTURES = {
    "village": "houses",
    "sleeping village": "houses",
    "barn": "hut",
    "waterfall": "fountain",
    "igloo": "hut",
}
# Verbs that say where their subject is with regard to their object.
VERB_RELATIONS = {"abduct": "above", "ride": "on", "drive": "on", "climb": "on", "mount": "on"}
# What is crossed is under who crosses it.
CROSSING, CROSSED = frozenset(["cross", "pass", "drive"]), frozenset(["bridge-at-night"])
# What is worn is on who wears it.
WORN = frozenset(
    """
    sunglasses glasses goggles top-hat womans-hat crown billed-cap graduation-cap military-helmet
    rescue-workers-helmet scarf necktie ribbon
    """.split()
)
NEGATIONS = frozenset(
    [
        "no",
        "without",
        "without any",
        "free of",
        "not",
        "minus",
        "lacking",
        "devoid of",
        "except",
        "never",
        "with no",
        "nor",
        "zero",
        "0",
    ]
)
# Things that others can be inside of.
HOLLOW = frozenset(
    """
    basket package jar bathtub bed automobile bus sailboat canoe tent house hut bucket wastebasket fishing-pole
    shopping-cart shopping-bags backpack handbag pot-of-food bowl-with-spoon wine-glass hot-beverage
    teacup-without-handle rocket flying-saucer airplane hot-springs fountain nest-with-eggs empty-nest castle coffin
    train locomotive potted-plant luggage briefcase glass-of-milk beer-mug balloon bubbles envelope wrapped-gift
    motor-boat ship speedboat racing-car taxi pickup-truck tractor door window mirror amphora honey-pot takeout-box
    bento-box
    """.split()
)

# Words that ask for nothing.
STOP_WORDS = frozenset(
    """
    a about across after against ago all along already also always am among an and another any are as at away back
    be been being but can could did do does doing down during each every for from full had has have having he her
    here him his how i if in into is it its itself just like made make me more most much my near of off on only onto
    or other our out over own please scene show shows showing side so such than that the their them then there these
    they thing things this those through to together toward towards up us very via was we were what when where which
    while who whose will with would you your create generate draw paint image picture photo video film animation
    clip animated style realistic photorealistic detailed highly hd 4k 8k quality background foreground depicting
    featuring wall ground side corner front end middle center centre edge surface place kind top bottom part group
    lot number way left right both background depth bokeh light lighting render rendered artstation octane unreal
    engine mm lens award-winning masterpiece trending cyberpunk steampunk watercolor watercolour oil acrylic cartoon
    anime pixar disney low-poly isometric macro wide-angle close-up closeup shallow dof 3d uhd ultra resolution
    professional epic cinematic photography composition sharp focus vivid colors colours colorful feet head back
    body shell tail shoulder shoulders hand hands arm arms leg legs foot lap mouth eyes beak paw paws horizon
    """.split()
)
# Plurals that no rule makes.
IRREGULAR = {
    "mice": "mouse", "geese": "goose", "children": "child", "men": "man", "women": "woman", "people": "person",
    "oxen": "ox", "feet": "foot", "teeth": "tooth", "wolves": "wolf", "leaves": "leaf", "knives": "knife",
    "loaves": "loaf", "calves": "calf", "policemen": "policeman", "firemen": "fireman", "snowmen": "snowman",
    "cacti": "cactus", "octopi": "octopus", "fishermen": "fisherman", "elves": "elf", "kids": "kid",
    "fireflies": "firefly", "butterflies": "butterfly",
}  # fmt: skip
# Behind these a word that may be a noun too is a verb.
BEFORE_VERBS = frozenset(
    "to can will they we i you people children and never always not just don't let's , . : !".split()
)
# Parts of somebody: what is on "its back" is on it.
BODY = frozenset(
    "back head shell body shoulder shoulders hand hands arm arms lap beak mouth paw paws tail nose wrist neck".split()
)
# Who a word before an animal makes of it, and no person of its own: a mother duck, a baby elephant.
KIN = frozenset("mother father mama papa mom dad baby parent brother sister adult newborn lone wild pet toy".split())
# Verbs that say only that something is there, or how it looks; and words that are no action of what they stand behind.
NO_ACTIONS = frozenset(
    "be have do make get go come let see look seem appear become show include "
    "feature contain depict need want wear hold "
    "carry bear surround fill cover center set place put use base face miss consist thank light call name say word "
    "tell mean bring take give like love up hat dress paint colour color trim top".split()
)

# What goes without saying

# Where a thing is usually seen: by its name, else its subgroup, else its group.
USUAL = {
    "animal-marine": "underwater", "transport-water": "open sea", "food-drink": "kitchen table",
    "dishware": "kitchen table", "objects": "studio", "game": "room", "transport-ground": "road",
    "place-building": "village", "award-medal": "stage", "musical-instrument": "stage", "rocket": "space",
    "flying-saucer": "space", "satellite": "space", "ringed-planet": "space", "astronaut": "space", "alien": "space",
    "airplane": "sky", "balloon": "sky", "helicopter": "sky", "parachute": "sky", "kite": "meadow", "penguin": "snow",
    "polar-bear": "snow", "camel": "desert", "two-hump-camel": "desert", "cactus": "desert",
    "spouting-whale": "open sea", "seal": "beach", "crab": "beach", "household": "room", "plant-flower": "garden",
    "duck": "lake", "swan": "lake", "frog": "lake", "snowman": "snow", "snowman-without-snow": "snow", "sled": "snow",
    "skier": "snow", "snowboarder": "snow", "skis": "snow", "person-surfing": "beach", "umbrella-on-ground": "beach",
    "person-climbing": "mountains", "tractor": "farm", "cow": "farm", "pig": "farm", "chicken": "farm",
    "rooster": "farm", "ewe": "farm", "farmer": "farm", "gardener": "garden", "lighthouse": "open sea",
    "person-merpeople": "open sea", "cowboy": "desert", "shepherd": "meadow", "pirate": "open sea", "monkey": "jungle",
    "parrot": "jungle", "gorilla": "jungle", "orangutan": "jungle", "tiger": "jungle", "bus": "city street",
    "taxi": "city street", "police-car": "city street", "fire-engine": "city street", "tram": "city street",
    "ambulance": "city street", "traffic-light": "city street", "deer": "forest", "owl": "forest", "fox": "forest",
    "wolf": "forest", "bear": "forest", "hedgehog": "forest", "mushroom": "forest", "racing-car": "road",
    "teddy-bear": "room", "couch-and-lamp": "room", "bed": "room", "books": "room", "person-swimming": "open sea",
    "lion": "meadow", "comet": "space", "water-wave": "open sea", "fireplace": "room", "campfire": "forest",
    "satellite-antenna": "planet surface", "singer": "stage", "woman-dancing": "stage", "man-dancing": "stage",
    "performing-arts": "stage", "eagle": "sky", "cloud": "sky", "shooting-star": "sky", "person-rowing-boat": "lake",
    "canoe": "lake", "lotus": "lake", "office-building": "skyline", "cityscape": "skyline", "fireworks": "skyline",
    "castle": "meadow", "snow-capped-mountain": "mountains", "volcano": "mountains", "camping": "forest",
    "tent": "forest", "santa-claus": "snow", "christmas-tree": "room",
}  # fmt: skip
# Things that tell the time of day or the season by being there.
TIME_OF = {
    "full-moon": "night", "crescent-moon": "night", "fireworks": "night", "shooting-star": "night", "owl": "night",
    "star": "night", "glowing-star": "night", "ghost": "night", "comet": "night", "milky-way": "night",
    "bridge-at-night": "night",
}  # fmt: skip
SEASON_OF = {
    "jack-o-lantern": "autumn", "maple-leaf": "autumn", "fallen-leaf": "autumn", "snowman-without-snow": "winter",
    "snowman": "winter", "christmas-tree": "winter", "santa-claus": "winter", "cherry-blossom": "spring",
    "sled": "winter",
}  # fmt: skip
