"""An asker's side of a router's HTTP interface, for phones too: httpx and nothing of the server.

router_client   what an asker says to a router, and how it hears answers through broken connections
reading         responses and event streams, read up to their limits
refusals        a router's problems as this package's errors
"""
