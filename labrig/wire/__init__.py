"""What crosses between a rig server and everybody else: documents as JSON, samples as packed arrays.

``rig_pb2*`` are generated from ``rig.proto`` (CONTRIBUTING.md has the command).
"""
