from setuptools import setup

setup(name="iotlib", packages=["iotlib"])
