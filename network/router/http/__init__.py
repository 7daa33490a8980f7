"""A router as a server: HTTP for askers, WebSocket (or events and POST) for workers. Only this uses FastAPI.

settings       what its owner decides
service        everything that the routes share, and what happens every second
app            the FastAPI application
asking         routes of askers
working        routes of workers
web_socket     a worker's connection over WebSocket
event_links    a worker's connection without one
event_stream   server-sent events, also for readers that do not read
bodies         what was sent, within limits
access         who may do what: invitations, tokens, where a request comes from
limits         how much of it
refusals       errors become problem details
pool           the public workers in numbers
metrics        numbers for Prometheus
watching       health, metrics, the owner's page
openapi        the description of all of it
connections    connections that say nothing, or too much
server         sockets, signals, the way down
"""
