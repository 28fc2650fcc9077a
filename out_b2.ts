import * as cg from "@cellgrad/cellgrad"; import { eigh } from "@cellgrad/cellgrad/linalg";
import process from "node:process";
const cpu=()=>{const {user,system}=process.cpuUsage();return (user+system)/1000;};
const cov=(n:number)=>{const x=cg.normal(cg.key(1),[n,n],{dtype:"float64"});return x.matmul(x.transpose()).div(n).add(cg.eye(n));};
const A=cov(128);const out:string[]=[];
for(let r=0;r<30;r++){const s=cpu();for(let i=0;i<5;i++)eigh(A); out.push(((cpu()-s)/5).toFixed(1));if(r%3==2) await new Promise(r=>setTimeout(r,50));}
console.log(out.join(" "));
