"""Distributed mode: what devices and the routing server say to each other.

errors          everything that can go wrong
protocol        the messages, strict and bounded
signatures      statements ↔ signed bytes
keys            the secret keys of this device; key_store and key_file keep them
cards           cards of devices: made, checked, pinned
pairing         codes and numbers by which people check whose a device is
groups          "my devices" and circles: secrets that their devices share
registration    a worker proves to a router who it is
tickets         a router signs whom it drew
envelope        a question, sealed for chosen workers (hpke, padding)
chunks, pacing  an answer, in sealed parts at fixed moments
answered        no question is answered twice
receipts        what both sides sign in the end
balancing       who answers: plain functions
trust           how far this device trusts a worker, from what it has seen; canaries are how it looks
aggregation     several answers become one
broker          where a router keeps questions and answers on their way
link            a connection that carries messages both ways
router          who is admitted, who gets a question, who hears an answer; not how messages travel
worker          takes questions and answers them with the engine it is given
client          asks a router over HTTP, and hears answers through broken connections
whole_file      small files, written as a whole and read by their owner only
backoff         how long to wait before the next try
asked           what a router passes on, as words and receipts for the asker

docs/reference/protocol.md has the bytes, docs/explanation/network-security.md the reasons.
"""
