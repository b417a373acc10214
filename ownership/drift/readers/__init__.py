"""Readers of infrastructure: Serverless Framework, CloudFormation, Terraform, and a DynamoDB endpoint.

Each reader gives an Infrastructure: tables, grants, and what could not be read or resolved. ::

    serverless             projects: finds and reads each serverless.yml
    serverless_project     the sections of a project: provider, functions, resources
    serverless_unread      what a project may permit besides: plugins, settings, roles from elsewhere
    serverless_stacks      the stacks nested in a project's, and those deployed beside it
    serverless_roles       the framework's rules: which role a function runs in, and what that holds
    serverless_settings    which settings and plugins are known to permit nothing
    serverless_compose     serverless-compose.yml: the parameters that projects get from it
    siblings               what projects give each other: the outputs of their stacks
    serverless_variables   the framework's ${…}: their values
    variable_sources       where these come from: self, opt, file, cf, …
    variable_marks         what they have to do with the environment
    dotenv                 the .env file that the framework loads
    variable_syntax        the framework's ${…}: their syntax
    cloudformation         compiled templates
    template_files         finds the templates in a folder
    other_forms            finds what else may be deployed from a folder
    owners                 the service that a role or function of a template belongs to
    stacks                 which template is nested in which, and what a stack is called
    sam, sam_policies      SAM's resources as what SAM makes of them; its policy templates and connectors
    cdk                    the stacks of a CDK app's output
    terraform              plans and states of Terraform and OpenTofu
    terraform_resources    their resources as what CloudFormation calls them
    terraform_tables       tables with their keys and indexes
    terraform_documents    policy documents, and the ARNs in them that are known only after apply
    terraform_policies     the managed policies that are attached
    terraform_values       their values as those of other files
    terraform_source       the lines of resources in .tf files
    terraform_types        which resources permit nothing
    terraform_plan         the resources after apply
    terraform_resource     one of them, with its values
    terraform_references   what values come from that are known only after apply
    terraform_files        opens what `show -json` printed, and says what another file is
    table_policies         what tables permit by policies of their own
    dynamodb               a live endpoint
    collector              what all projects or templates of a run have, as one Infrastructure
    role_users             what acts by roles, of any type
    made_nodes             calls of functions and statements that readers make
    tables, roles          the resources of a template that are read
    sections               a mapping of settings that knows which of its keys were read
    resource_types         which types are known to permit nothing, and what of a template no reader has read
    template               the sections of a template, and the texts that a value may have
    template_parts         the parts of a template as one, as the Serverless Framework merges them
    loops                  CloudFormation's loops: Fn::ForEach
    intrinsics             CloudFormation's functions: Fn::Sub, Fn::Join, …
    template_references    what Ref and Fn::GetAtt give
    node_reader            reads nodes of any file: variables resolved, lists flattened
    template_nodes         what a node is: a call, a reference, an Fn::If
    files, yaml_values     files below one folder; YAML and JSON with the location of each value
"""
