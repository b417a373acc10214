"""What IAM policies permit a role to do with the items of DynamoDB tables.

::

    actions           which DynamoDB actions read items, write them, or neither
    managed_policies  what AWS's own policies permit
    patterns          IAM's wildcards
    arns              a statement's resource, as a pattern of base names
    statements        a policy statement: effect, actions, resources
    policies          what all statements of a role permit together
"""
