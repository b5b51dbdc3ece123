/** Routes of an overlay address: the way by which an address moves between zones. */
import { DescribeRouteTablesCommand, type EC2Client, ReplaceRouteCommand, type RouteTable } from '@aws-sdk/client-ec2';
import type { Holding, RouteAt, Routes } from '../../core/cloud-ports.ts';
import { called } from './ec2-calls.ts';
import { type Holdings, readHolding, unknownHolding } from './ec2-holdings.ts';

export function ec2Routes(client: EC2Client): Routes {
  const holdings: Holdings<RouteAt> = (at) =>
    called(`DescribeRouteTables ${at.table}`, async (abortSignal) => {
      const command = new DescribeRouteTablesCommand({ RouteTableIds: [at.table] });
      const { RouteTables } = await client.send(command, { abortSignal });
      return routeHolding(RouteTables ?? [], at);
    });
  return {
    read: (at) => readHolding(holdings(at)),
    replace: ({ table, destination }, networkInterface) =>
      called(`point ${destination} of ${table} at ${networkInterface}`, async (abortSignal) => {
        const command = new ReplaceRouteCommand({
          RouteTableId: table,
          DestinationCidrBlock: destination,
          NetworkInterfaceId: networkInterface,
        });
        await client.send(command, { abortSignal });
      }),
  };
}

/** A route is never free: one that is missing cannot be replaced, and one into nowhere is still somebody's. */
export function routeHolding(tables: readonly RouteTable[], { table, destination }: RouteAt): Holding {
  const [only] = tables;
  if (only === undefined || tables.length > 1 || only.RouteTableId !== table)
    return unknownHolding(`EC2 answered with ${tables.length} route tables, not with ${table}`);
  const route = (only.Routes ?? []).find(({ DestinationCidrBlock }) => DestinationCidrBlock === destination);
  if (route === undefined) return unknownHolding(`${table} has no route to ${destination}: create one first`);
  const { NetworkInterfaceId: by } = route;
  return by === undefined
    ? unknownHolding(`the route to ${destination} in ${table} leads to no network interface`)
    : { state: 'held', holders: [{ by, isLeaving: false, holding: null }] };
}
