from setuptools import find_packages, setup
setup(name="smartgrid", version="1.0", packages=find_packages())
