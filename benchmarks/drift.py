"""How the Serverless reader scales: 20, 200 and 2,000 services of 10 statements each.

    python -m benchmarks.drift

Each size runs in its own process, so that peak memory is measured per size. Results: benchmarks/results/latest.md.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STATEMENTS = 10
HEAD = """\
service: club-{name}
functions: {{get: {{handler: handler.get}}}}
provider:
  name: aws
  stage: ${{file(../../common.yml):provider.stage}}
  region: ${{file(../../common.yml):provider.region}}
  environment:
    ENVIRONMENT: ${{file(../../config.${{self:provider.stage}}.json):ENVIRONMENT}}
  iamRoleStatements:
"""
ARN = "arn:aws:dynamodb:${{self:provider.region}}:*:table/{table}${{self:provider.environment.ENVIRONMENT}}"
STATEMENT = """\
    - Effect: Allow
      Action: [dynamodb:GetItem, dynamodb:Query, "dynamodb:Put*"]
      Resource:
        - "ARN"
        - "ARN/index/*"
""".replace("ARN", ARN)


def write(folder: Path, services: int) -> Path:
    """A monorepo of that many services, and its map beside it. Every table is used by ten services."""
    (folder / "common.yml").write_text(
        "provider: {stage: \"${opt:stage, 'dev'}\", region: us-west-2}\n"
    )
    (folder / "config.dev.json").write_text('{"ENVIRONMENT": ""}')
    tables = []
    for number in range(services):
        project = folder / "services" / f"service{number}"
        project.mkdir(parents=True)
        used = [f"table{(number + i) % services}" for i in range(STATEMENTS)]
        text = HEAD.format(name=project.name) + "".join(
            STATEMENT.format(table=table) for table in used
        )
        (project / "serverless.yml").write_text(text)
        access = {"service": project.name, "mode": "read"}
        tables.append({"name": f"table{number}", "owner": project.name, "accesses": [access]})
    document = {"services": [{"name": f"service{n}"} for n in range(services)], "tables": tables}
    path = folder / "map.json"
    path.write_text(json.dumps(document))
    return path


def measure(services: int) -> None:
    """Run the command once in this process; print size, findings, seconds (clock, CPU) and peak memory."""
    from ownership.drift.command import main

    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder), services)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        output: list[str] = []
        start = time.perf_counter(), time.process_time()
        main(["serverless", folder, "--registry", str(path), "--format", "json"], output.append)
        seconds, cpu = time.perf_counter() - start[0], time.process_time() - start[1]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        findings = json.loads(output[0])["summary"]["findings"]
        times = f"{seconds:>8.2f} s {cpu:>8.2f} s of CPU"
        memory = f"{peak // 1024:>6} MB ({(peak - before) // 1024} MB more than before)"
        print(f"{services:>6} services {findings:>7} findings {times} {memory}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(int(sys.argv[1]))
    else:
        for size in (20, 200, 2000):
            subprocess.run([sys.executable, "-m", "benchmarks.drift", str(size)], check=True)
