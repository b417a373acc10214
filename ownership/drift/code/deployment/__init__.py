"""Which functions infrastructure deploys, where their code starts, and what is in their environment.

::

    functions:
      create: {handler: src/users.create, environment: {TABLE: !Ref Users}}

is the entry point ``create`` with the file ``src/users.js``, the name ``create`` in it, and the variable ``TABLE``,
whose value is the name of the table ``Users`` in the same template.
Source: Serverless Framework documentation, "Functions"; AWS SAM documentation, "AWS::Serverless::Function" and
"Globals"; AWS CloudFormation Template Reference, "AWS::Lambda::Function"; AWS CDK documentation, "Assets".
"""

from ownership.drift.code.deployment.base import INLINE, EntryPoint
from ownership.drift.code.deployment.handlers import letters_of
from ownership.drift.code.deployment.templates import Deployment

__all__ = ["INLINE", "Deployment", "EntryPoint", "letters_of"]
