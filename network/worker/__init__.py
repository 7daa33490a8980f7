"""A worker: takes sealed questions from a router and answers them with whatever engine it is given.

answerer   what an engine must offer
session    one connection to a router, from `hello` to `bye`
answering  one question, from its seal to its receipt
connection stays connected: waits, tries again, renews its card in time

Messages travel over `websocket_link`, or over `event_link` where no WebSocket gets through.
"""
