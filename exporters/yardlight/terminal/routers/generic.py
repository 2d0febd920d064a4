"""Any router: interfaces, traffic and the default route, as the standards have them."""

from yardlight.terminal.routers.tables import Profile

PROFILE = Profile("generic", "any router", says="route", evidence="own fake; recorded: RB760iGS, CM8116")
