"""What the node knows of whom and what a document names, asked once a document: companies, makers, places, issuers."""

from sqlalchemy import Connection

from app.capture import prepare
from app.capture.prepare import Lookups
from app.partners import service as partners
from app.prefixes import service as prefixes
from app.products import service as products
from ledger.custody.travel import place_text
from ledger.epcis.document import Document


def look_up(connection: Connection, document: Document, by: str) -> Lookups:
    """Everything that resolving the events of `document`, which the party `by` (GLN) reports, will ask."""
    glns = prepare.glns_in(document)
    owners = partners.owners_of(connection, glns | {by})
    makers = products.makers(connection, prepare.gtins_begun(document))
    places = {gln: place_text(*each.degrees) for gln, each in partners.positions(connection, glns).items()}
    issuers = prefixes.issuers(connection, prepare.ssccs_in(document))
    return Lookups(lambda gln: owners.get(gln, gln), makers.get, places.get, issuers.get)
