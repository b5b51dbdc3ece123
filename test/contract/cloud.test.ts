import { awsHealersFamily, ec2CloudFamily, memoryCloudFamily, memoryHealersFamily } from './cloud-fixtures.ts';
import { cloudContract, healersContract } from './cloud.contract.ts';

cloudContract(memoryCloudFamily);
cloudContract(ec2CloudFamily);
healersContract(memoryHealersFamily);
healersContract(awsHealersFamily);
