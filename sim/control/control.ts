/** The control plane of a simulated world: the shipped functions, workflow, schedules and API. */
import type { SimControl, SimEc2, SimStore } from '../contract/parts.ts';
import type { Scene } from '../contract/scene.ts';
import type { Stage } from '../contract/stage.ts';
import { Environments } from './environments.ts';
import { FUNCTIONS } from './functions.ts';
import { mutatedHandler, mutatedPorts } from './mutated.ts';
import { operate } from './operator.ts';
import { controlPorts } from './ports.ts';
import { startSchedules } from './schedules.ts';
import { StepFunctions } from './step-functions.ts';
import { WorkflowApi } from './workflow-api.ts';

export function createControl(
  stage: Stage,
  scene: Scene,
  world: { readonly store: SimStore; readonly ec2: SimEc2 },
): SimControl {
  const environments = new Environments(stage, scene, (fn, process, random) => {
    const workflow = workflowApi.forProcess(process);
    const ports = mutatedPorts(controlPorts({ stage, ...world, workflow, process, random }), {
      mutation: stage.mutation,
      fn,
      store: world.store,
    });
    return mutatedHandler(FUNCTIONS[fn].make(ports.ports), ports);
  });
  const executions = new StepFunctions(stage, (fn, event) => environments.invoke(fn, event));
  const workflowApi = new WorkflowApi(stage, executions);
  return {
    start: () => startSchedules(stage, scene.profile, (fn) => environments.invoke(fn, {})),
    reconcile: () => void environments.invoke('reconcile', {}),
    ec2Event: (event) => void environments.invoke('instance-state', event),
    act: (act) => operate(stage, scene.cluster, act, (event) => environments.invoke('api', event)),
    setNoise(noise) {
      environments.setNoise(noise);
      executions.setNoise(noise);
      workflowApi.setNoise(noise);
    },
    setWallSpread: (ms) => environments.setWallSpread(ms),
    stopRun: (pick) => withPicked(executions.running(), pick, (run) => executions.stop(run)),
    redriveRun: (pick) => withPicked(executions.unsuccessful(), pick, (run) => executions.redrive(run)),
    runsUnderWay: () => executions.running(),
  };
}

/** Nothing, where there is none. */
function withPicked(names: readonly string[], pick: number, work: (name: string) => void): void {
  const name = names[pick % Math.max(1, names.length)];
  if (name !== undefined) work(name);
}
