import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AssetHashType, BundlingOutput, DockerImage } from 'aws-cdk-lib';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const ARCHIVE = 'holdfast-agent.tgz';
const BUILD_MS = 60_000;

/**
 * What is installed on hosts, as one archive among the assets of the deployment, built at synth. Its name holds the hash
 * of its bytes: hosts install what was synthesised, or nothing.
 */
export class AgentPackage extends Construct {
  private readonly asset: Asset;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.asset = new Asset(this, 'Archive', {
      path: `${repository}packaging/agent`,
      assetHashType: AssetHashType.OUTPUT,
      bundling: {
        // Never run: a build here that fails, fails the synth, because another one would give other bytes.
        image: DockerImage.fromRegistry('scratch'),
        outputType: BundlingOutput.SINGLE_FILE,
        local: { tryBundle: buildInto },
      },
    });
  }

  /** `s3://BUCKET/KEY`. */
  get url(): string {
    return this.asset.s3ObjectUrl;
  }

  /** This package, where the asset's own grant would be for everything in the bucket. */
  grantRead(grantee: IGrantable): void {
    const { bucket, s3ObjectKey } = this.asset;
    Grant.addToPrincipal({
      grantee,
      actions: ['s3:GetObject'],
      resourceArns: [bucket.arnForObjects(s3ObjectKey)],
    });
  }
}

/** By a process of its own: esbuild answers later, and a construct has to be ready when it is made. */
function buildInto(folder: string): boolean {
  const built = mkdtempSync(join(tmpdir(), 'holdfast-agent-'));
  try {
    execFileSync(process.execPath, [`${repository}tools/build-agent.ts`, built], {
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: BUILD_MS,
    });
    copyFileSync(join(built, ARCHIVE), join(folder, ARCHIVE));
  } finally {
    rmSync(built, { recursive: true, force: true });
  }
  return true;
}
