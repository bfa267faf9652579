"""Where this project answers otherwise than GS1's own engine, vector by vector, and why.

Every difference stands here. `test_vectors` fails for one that is missing and for one that no longer differs.
"""

ORACLE: dict[str, tuple[str, str]] = {
    # what we do -> (why, the vectors)
    "line_ending": (
        "a reader's CR, LF or TAB behind the data is taken off",
        "es52 es132 es208 es220 es410 es463 es537 es566 es582 es596 es635 es687 es703 es762 es763 es813 "
        "es851 es860 es883 es885 es935 es1006 es1028 es1057 es1106 es1119 es1128 es1193 es1208 es1217 "
        "es1221 es1235 es1284 es1286 es1297 es1360 es1405 es1427 es1429",
    ),
    "leading_separator": (
        "a reader may transmit FNC1 in first position as GS",
        "es10 es55 es102 es138 es155 es209 es225 es284 es301 es403 es416 es421 es450 es457 es481 es489 "
        "es506 es507 es569 es613 es624 es639 es662 es730 es784 es834 es871 es889 es1037 es1115 es1162 "
        "es1205 es1301 es1353 es1407 es1416 es1425 es1441 es1465",
    ),
    "doubled_separator": (
        "a reader may send a GS more than once",
        "es51 es56 es70 es126 es303 es346 es362 es479 es502 es583 es673 es676 es741 es755 es836 es841 "
        "es864 es1056 es1069 es1214 es1319 es1362 es1400 es1404 es1426 es1469",
    ),
    "spelled_separator": (
        "a reader may spell GS as {GS}",
        "es371 es840 es1001",
    ),
    "separator_missing": (
        "a GS was dropped or mangled, and the engine reads a longer serial or lot: never guessed here",
        "es84 es95 es164 es417 es1154 es1227",
    ),
    "not_ai_data": (
        "no web address and no element string: the engine passes it through as plain text",
        "dl159 dl197 dl236 dl287",
    ),
}

_OTHER_AI = "neither on a medicine's nor on a shipping label (coupons, prices, digital signatures)"
_ZERO = (
    "a GTIN of fewer than 14 digits in a link: a switch of the engine, off by default, that we do not have"
)
_ALPHA = "alphabetic names for keys were withdrawn from Digital Link"
_UNKNOWN = "unknown identifiers are refused: a switch of the engine, off by default, that we do not have"
_PLAIN = "a plain symbol without a web address is not AI data; the engine passes its text through"
_COMPOSITE = "composite components are not on medicines"
_ESCAPE = "a broken escape or one beyond ASCII is refused, not passed through"

# Keyed by the line of the engine's own test that each vector comes from.
ASSOCIATIONS = {
    2059: _UNKNOWN,
    **dict.fromkeys((2078, 2079, 2080, 2113, 2126, 2128, 2134, 2136, 2148, 2152, 2156), _OTHER_AI),
}
LINK_PARSE = {
    1344: "the scheme of a URI is case-insensitive (RFC 3986, section 3.1)",
    **dict.fromkeys((1437, 1438, 1439), _ALPHA),
    **dict.fromkeys((1449, 1459, 1469, 1484, 1494, 1635, 1641, 1669, 1679, 1689, 1699), _ZERO),
    1767: _UNKNOWN,
}
LINK_GENERATE = {
    2187: "biip's table wants five characters of a component identifier (8010)",
    2206: _UNKNOWN,
}
SCAN_DATA = {
    **dict.fromkeys((852, 853, 854, 855, 879, 880, 881, 882, 894, 895, 896, 897), _PLAIN),
    930: "some decoders send a UPC-A as its 12 digits under ]E0",
    **dict.fromkeys((936, 947), _COMPOSITE),
}
URI_UNESCAPE = dict.fromkeys((1904, 1905, 1908, 1909, 1910, 1911, 1914, 1915, 1916, 1917), _ESCAPE)
