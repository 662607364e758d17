"""The demo province: five shared databases, three consumers and a stand-in for the national core.

Every person, parcel and record is generated from a seed; none is real.
"""
